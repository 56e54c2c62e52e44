"""A page that follows its changes is the page that would be loaded: over random events, through the whole subgraph."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.tokens import Viewer
from subgraphs.recommendations.services import keep_models
from tests.support.devices import ALL_KINDS


@pytest.fixture(autouse=True)
def without_rebuilds_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models change when a test tells it, not between two questions that are compared."""
    monkeypatch.setattr(keep_models, "SETTLE_S", 3600.0)


DEVICE = {"formFactor": "TV", "widthPx": 1920, "heightPx": 1080, "imageFormats": ["WEBP"], "supports": ALL_KINDS}
SECTION = """fragment S on Section { __typename key kind heading reason { text becauseOf { id } }
  items(first: 50) { edges { node { id title { id } artwork { id } ... on TitleCard { reason { text } } } } } }"""
PAGE = f"""query ($device: DeviceInput!, $first: Int!, $after: String) {{ page(kind: HOME, device: $device) {{ id revision
  sections(first: $first, after: $after) {{ pageInfo {{ endCursor hasNextPage }} edges {{ node {{ ...S }} }} }} }} }} {SECTION}"""
REFRESH = f"""mutation ($id: ID!, $revision: String!, $held: Int) {{
  refreshPage(pageId: $id, revision: $revision, sections: $held) {{ __typename
    ... on PageExpired {{ message }}
    ... on PageChange {{ newRevision removed endCursor page {{ revision }} moved {{ key position }}
      changed {{ position section {{ ...S }} }} added {{ position section {{ ...S }} }} }} }} }} {SECTION}"""


def held_after(held: list[dict[str, Any]], change: dict[str, Any]) -> list[dict[str, Any]]:
    """What a client does with a change: told sections to their positions, the others stay where they were."""
    old = {section["key"]: section for section in held}
    told = {each["position"]: each["section"] for each in [*change["changed"], *change["added"]]}
    told |= {move["position"]: old[move["key"]] for move in change["moved"]}
    moved_away = {section["key"] for section in told.values()} | set(change["removed"])
    stay = {place: section for place, section in enumerate(held) if section["key"] not in moved_away}
    assert not stay.keys() & told.keys()
    together = stay | told
    assert sorted(together) == list(range(len(together)))
    return [together[place] for place in sorted(together)]


def sections_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in answer["page"]["sections"]["edges"]]


async def something_happens(subgraph: Any, chance: random.Random, titles: list[dict[str, Any]]) -> None:
    title = f"mov_{chance.randrange(120):03}"
    event = chance.randrange(7)
    if event == 0:
        await subgraph.watch(title, 0.97)
    elif event == 1:
        await subgraph.watch(title, chance.random())
    elif event == 2:
        series, episode = chance.randrange(1, 3), chance.randrange(1, 5)
        await subgraph.watch(f"epi_{series}_{episode}", chance.choice([0.4, 0.95]), seriesId=f"ser_{series}")
    elif event == 3:
        data = {"profileId": "prof_1", "titleId": title, "inList": chance.random() < 0.8}
        await subgraph.tell("feedback", "list.changed", data)
    elif event == 4:
        data = {"profileId": "prof_1", "titleId": title, "stars": chance.choice([1, 3, 5, None])}
        await subgraph.tell("feedback", "title.rated", data)
    elif event == 5:
        changed = {**chance.choice(titles), "popularity": chance.random()}
        await subgraph.tell_titles([changed])
    else:
        subgraph.clock.advance(timedelta(seconds=chance.randrange(1, 90)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("held_count", [50, 8])
async def test_following_changes_is_loading_again(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, seed: int, held_count: int
) -> None:
    """After each of a row of random events: what the client makes of the change, the page loaded now; to its last card."""
    chance = random.Random(seed)
    await subgraph.tell_titles(catalogue_snapshots)
    answer = await subgraph.data(PAGE, {"device": DEVICE, "first": held_count}, viewer)
    held, revision, page_id = sections_of(answer), answer["page"]["revision"], answer["page"]["id"]
    for _ in range(10):
        await something_happens(subgraph, chance, catalogue_snapshots)
        values = {"id": page_id, "revision": revision, "held": held_count}
        change = (await subgraph.data(REFRESH, values, viewer))["refreshPage"]
        loaded = await subgraph.data(PAGE, {"device": DEVICE, "first": held_count}, viewer)
        kept = {section["key"]: section for section in held}
        held, revision = held_after(held, change), change["newRevision"]

        assert held == sections_of(loaded)
        assert revision == loaded["page"]["revision"] == change["page"]["revision"]
        told = [each["section"] for each in [*change["changed"], *change["added"]]]
        assert not [section for section in told if kept.get(section["key"]) == section]
        if loaded["page"]["sections"]["pageInfo"]["hasNextPage"]:
            rest = {"device": DEVICE, "first": 50, "after": change["endCursor"]}
            behind = sections_of(await subgraph.data(PAGE, rest, viewer))
            assert held + behind == sections_of(await subgraph.data(PAGE, {"device": DEVICE, "first": 50}, viewer))
        else:
            assert change["endCursor"] is None


async def test_nothing_happened(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """The same revision, and nothing told."""
    await subgraph.tell_titles(catalogue_snapshots)
    page = (await subgraph.data(PAGE, {"device": DEVICE, "first": 50}, viewer))["page"]

    values = {"id": page["id"], "revision": page["revision"]}
    change = (await subgraph.data(REFRESH, values, viewer))["refreshPage"]

    assert change["newRevision"] == page["revision"]
    assert [change[part] for part in ("removed", "changed", "added", "moved")] == [[], [], [], []]


async def test_a_refresh_keeps_to_what_the_client_draws(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer
) -> None:
    """A new kind of section comes to nobody who did not list it, also when its page looked the same so far."""
    await subgraph.tell_titles(catalogue_snapshots)
    old = {**DEVICE, "supports": [kind for kind in ALL_KINDS if kind != "CONTINUE_WATCHING"]}
    pages = [(await subgraph.data(PAGE, {"device": each, "first": 50}, viewer))["page"] for each in (DEVICE, old)]
    await subgraph.watch("mov_000", 0.5)

    kinds = []
    for page in pages:
        values = {"id": page["id"], "revision": page["revision"]}
        change = (await subgraph.data(REFRESH, values, viewer))["refreshPage"]
        kinds.append({each["section"]["kind"] for each in change["added"]})

    assert "CONTINUE_WATCHING" in kinds[0]
    assert "CONTINUE_WATCHING" not in kinds[1]


async def test_an_unknown_revision_is_expired(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """Also somebody else's, another page's and one that is too old; too many sections are refused by number."""
    await subgraph.tell_titles(catalogue_snapshots)
    page = (await subgraph.data(PAGE, {"device": DEVICE, "first": 1}, viewer))["page"]
    values = {"id": page["id"], "revision": page["revision"]}
    stranger = replace(viewer, profile_id="prof_2")

    answers = [
        await subgraph.data(REFRESH, {**values, "revision": "0" * 24}, viewer),
        await subgraph.data(REFRESH, {**values, "id": "page_other"}, viewer),
        await subgraph.data(REFRESH, values, stranger),
    ]
    refused = await subgraph.ask(REFRESH, {**values, "held": 51}, viewer)
    subgraph.clock.advance(timedelta(minutes=11))
    answers.append(await subgraph.data(REFRESH, values, viewer))

    assert {answer["refreshPage"]["__typename"] for answer in answers} == {"PageExpired"}
    assert "51" in refused["errors"][0]["message"]
