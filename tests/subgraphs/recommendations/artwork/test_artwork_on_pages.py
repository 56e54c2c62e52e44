"""Pages show each profile its own pictures, the same for as long as it is shown, and reports are kept with what chose."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from common.errors import ErrorKind, ServiceError
from common.events import Event, EventPublisher, stream_key
from common.tokens import Viewer
from subgraphs.recommendations.adapters.sqlalchemy.artwork_log import SqlArtworkLog
from subgraphs.recommendations.adapters.valkey.artwork_contexts import ValkeyArtworkContexts
from subgraphs.recommendations.domain.artwork_choice import ArtworkDecision
from subgraphs.recommendations.domain.artwork_sizes import VARIANTS
from tests.subgraphs.recommendations.conftest import NOW

PAGE = """query ($device: DeviceInput!) { page(kind: HOME, device: $device) { revision sections { edges { node {
  items(first: 50) { edges { node { tracking title { id } artwork { id } } } } } } } } }"""
REPORT = """mutation ($cards: [InteractionInput!]!) { reportInteractions(interactions: $cards) {
  ... on ReportInteractionsSuccess { takenCount } } }"""
TV = {"formFactor": "TV", "widthPx": 1920, "heightPx": 1080, "supports": ["TOP_PICKS", "NEW_RELEASES", "GENRE"]}
PHONE = {**TV, "formFactor": "PHONE", "widthPx": 390, "heightPx": 844}
REFUSED = {"purpose": "PERSONALISATION", "textVersion": 1, "granted": False}
Cards = dict[str, tuple[str, str]]
"""Title → (variant, tracking)."""


@pytest.fixture
def drawn(catalogue_snapshots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sixty titles with three pictures each; of one in ten the studio shows the second alone."""
    return [
        {
            **each,
            "artwork": [
                {
                    "variant": variant,
                    "weight": int(number % 10 != 0 or variant == "second"),
                    "palette": f"palette {(number + place) % 5}",
                    "composition": f"composition {(number + 2 * place) % 4}",
                    "typeface": "bebas",
                }
                for place, variant in enumerate(VARIANTS)
            ],
        }
        for number, each in enumerate(catalogue_snapshots[:60])
    ]


async def cards(subgraph: Any, viewer: Viewer | None, device: dict[str, Any] = TV) -> Cards:
    page = (await subgraph.data(PAGE, {"device": device}, viewer))["page"]
    nodes = [edge["node"] for each in page["sections"]["edges"] for edge in each["node"]["items"]["edges"]]
    found = [(node["title"]["id"], (node["artwork"]["id"].split("~")[2], node["tracking"])) for node in nodes]
    assert len({(title_id, variant) for title_id, (variant, _) in found}) == len({title_id for title_id, _ in found})
    return dict(found)


def variants(found: Cards) -> dict[str, str]:
    return {title_id: variant for title_id, (variant, _) in found.items()}


async def report(subgraph: Any, viewer: Viewer, kind: str, *told: tuple[str, str]) -> int:
    sent = [{"kind": kind, "titleId": title_id, "tracking": tracking} for title_id, tracking in told]
    answer = (await subgraph.data(REPORT, {"cards": sent}, viewer))["reportInteractions"]
    return int(answer["takenCount"])


async def events(redis: Redis) -> list[dict[str, Any]]:
    entries: Any = await redis.xrange(stream_key("interactions"))
    return [json.loads(fields[b"data"]) for _, fields in entries]


async def logged(subgraph: Any, *opened: bool) -> list[ArtworkDecision]:
    """The log, once it holds as many entries, opened or not."""
    log = SqlArtworkLog(subgraph.models._titles._engine)
    async with asyncio.timeout(10):
        while True:
            found = [each async for each in log.decisions(NOW - timedelta(days=1), 1_000)]
            if sorted(each.is_opened for each in found) == sorted(opened):
                return found
            await asyncio.sleep(0.02)


async def test_profiles_see_their_own_pictures_and_keep_them(
    subgraph: Any, drawn: list[dict[str, Any]], viewer: Viewer
) -> None:
    """Pictures differ between profiles and not between a profile's pages, devices and days until its epoch ends."""
    await subgraph.tell_titles(drawn)
    for number in range(4):
        await subgraph.watch(f"mov_{number:03}", 1.0)
    first, phone = await cards(subgraph, viewer), await cards(subgraph, viewer, PHONE)
    other = await cards(subgraph, replace(viewer, profile_id="prof_2"))
    shared = first.keys() & other.keys()
    assert set(variants(first).values()) == set(VARIANTS)
    assert [first[each][0] for each in shared] != [other[each][0] for each in shared]
    assert all(phone[each][0] == first[each][0] for each in phone.keys() & first.keys())
    # Its taste goes on, and its pictures stay.
    for number in range(4, 9):
        await subgraph.watch(f"mov_{number:03}", 1.0)
    later = await cards(subgraph, viewer)
    assert all(later[each][0] == first[each][0] for each in later.keys() & first.keys())
    subgraph.clock.advance(timedelta(days=14))
    next_epoch = await cards(subgraph, viewer)
    assert any(next_epoch[each][0] != first[each][0] for each in next_epoch.keys() & first.keys())


async def test_what_the_studio_does_not_show_is_not_shown(
    subgraph: Any, drawn: list[dict[str, Any]], viewer: Viewer
) -> None:
    """A variant of weight 0 stands on no page."""
    await subgraph.tell_titles(drawn)
    only_second = {each["id"] for number, each in enumerate(drawn) if number % 10 == 0}
    for number in range(5):
        found = variants(await cards(subgraph, replace(viewer, profile_id=f"prof_{number}")))
        assert {found[each] for each in only_second & found.keys()} <= {"second"}


async def test_a_report_is_kept_with_the_probabilities_that_chose(
    subgraph: Any, drawn: list[dict[str, Any]], viewer: Viewer, redis: Redis
) -> None:
    """Told twice it is one entry; opening marks it. What a client says about the choice itself counts for nothing."""
    await subgraph.tell_titles(drawn)
    found = await cards(subgraph, viewer)
    (one, (variant, tracking)), (other, (_, other_tracking)) = list(found.items())[:2]
    for _ in range(2):
        await report(subgraph, viewer, "SHOWN", (one, tracking), (other, other_tracking))
    await report(subgraph, viewer, "OPENED", (one, tracking))
    third, (_, third_tracking) = list(found.items())[2]
    another_tag = third_tracking[:-8] + "00000000"
    another_variant = third_tracking[:-9] + str((int(third_tracking[-9]) + 1) % 3) + third_tracking[-8:]
    await report(subgraph, viewer, "SHOWN", *((third, each) for each in (another_tag, another_variant, "not ours")))
    told = await events(redis)
    assert [each.get("artwork") is None for each in told] == [False] * 5 + [True] * 3
    assert told[0]["artwork"]["variant"] == variant
    entries = {each.title_id: each for each in await logged(subgraph, True, False)}
    assert entries[one].is_opened
    assert not entries[other].is_opened
    assert entries[one].shown.variant == variant
    assert sum(entries[one].shown.propensities) == pytest.approx(1.0)


async def test_who_is_not_learned_from_sees_the_main_pictures(
    subgraph: Any, drawn: list[dict[str, Any]], viewer: Viewer, redis: Redis
) -> None:
    """Visitors, kids and who refuses personalisation; nothing is told of their pictures."""
    await subgraph.tell_titles(drawn)
    refused = {**REFUSED, "accountId": viewer.account_id, "profileIds": [viewer.profile_id]}
    await subgraph.tell("accounts", "consent.changed", refused)
    for each in (None, replace(viewer, profile_id="prof_3", is_kids=True), viewer):
        found = await cards(subgraph, each)
        assert set(variants(found).values()) == {"main"}
        if each is not None:
            title_id, (_, tracking) = next(iter(found.items()))
            assert "!" not in tracking
            assert await report(subgraph, each, "SHOWN", (title_id, tracking)) == 0
    assert await events(redis) == []


async def test_taking_consent_back_forgets_the_log(
    subgraph: Any, drawn: list[dict[str, Any]], viewer: Viewer, redis: Redis
) -> None:
    """And the genres that choices went by."""
    await subgraph.tell_titles(drawn)
    for number in range(4):
        await subgraph.watch(f"mov_{number:03}", 1.0)
    title_id, (_, tracking) = next(iter((await cards(subgraph, viewer)).items()))
    await report(subgraph, viewer, "SHOWN", (title_id, tracking))
    entry = (await logged(subgraph, False))[0]
    assert entry.shown.context.genres
    assert [key async for key in redis.scan_iter("marquee:artwork-context:prof_1:*")]
    data = {**REFUSED, "accountId": viewer.account_id, "profileIds": [viewer.profile_id]}
    await EventPublisher(redis).publish(Event("accounts", "consent.changed", data, subgraph.clock.now()))
    await logged(subgraph)
    assert not [key async for key in redis.scan_iter("marquee:artwork-context:prof_1:*")]


async def test_pictures_are_the_main_ones_while_contexts_are_away(
    subgraph: Any, drawn: list[dict[str, Any]], viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is better than none."""

    async def away(*_: object) -> None:
        raise ServiceError(ErrorKind.UNAVAILABLE, "away")

    await subgraph.tell_titles(drawn)
    monkeypatch.setattr(ValkeyArtworkContexts, "find", away)
    assert set(variants(await cards(subgraph, viewer)).values()) == {"main"}
