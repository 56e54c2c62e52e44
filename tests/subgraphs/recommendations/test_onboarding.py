"""A new profile: what it is asked, what its picks change, and when they are not kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.events import stream_key
from common.tokens import Viewer
from subgraphs.recommendations.domain.ordering import best_places
from subgraphs.recommendations.domain.taste import Taste, Watched, read_likes, read_signals
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.models.blend import Models, score_titles
from subgraphs.recommendations.pages.choose_introductions import choose_introductions
from subgraphs.recommendations.services.keep_models import build_models

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
ONBOARDING = "{ onboarding { isWanted titles { id } picks { id } } }"
SAVE = """mutation ($ids: [ID!]!) { saveOnboardingPicks(titleIds: $ids) { __typename
  ... on SaveOnboardingPicksSuccess { onboarding { isWanted picks { id } } }
  ... on InvalidInput { message } ... on TitleNotFound { titleId } ... on PersonalisationOff { message } } }"""
PAGE = """query ($device: DeviceInput!) { page(kind: HOME, device: $device) { sections(first: 50) { edges { node {
  kind heading reason { text becauseOf { id } }
  items(first: 50) { edges { node { title { id } ... on TitleCard { reason { text becauseOf { id } } } } } } } } } } }"""
KINDS = ["HERO", "BECAUSE_YOU_WATCHED", "TOP_PICKS", "TRENDING", "NEW_RELEASES", "POPULAR_IN_COUNTRY", "GENRE"]
DEVICE = {"formFactor": "TV", "widthPx": 1920, "heightPx": 1080, "supports": KINDS}
HORROR = ["mov_000", "mov_006", "mov_012"]


@pytest.fixture(scope="module")
def models(make_titles: Any) -> Models:
    return build_models([record_from_snapshot(row) for row in make_titles(3, 240)], (), 1, NOW.timestamp())


@pytest.fixture
def open_titles(catalogue_snapshots: Any) -> list[dict[str, Any]]:
    """All titles, for everybody, everywhere."""
    window = [{"country": "*", "from": None, "until": None}]
    return [{**row, "windows": window, "minimumAge": 0, "blockedCountries": []} for row in catalogue_snapshots]


async def ask(subgraph: Any, viewer: Viewer | None) -> Any:
    return (await subgraph.data(ONBOARDING, {}, viewer))["onboarding"]


async def save(subgraph: Any, viewer: Viewer | None, *title_ids: str) -> Any:
    return (await subgraph.data(SAVE, {"ids": list(title_ids)}, viewer))["saveOnboardingPicks"]


async def sections(subgraph: Any, viewer: Viewer) -> list[Any]:
    found = (await subgraph.data(PAGE, {"device": DEVICE}, viewer))["page"]["sections"]["edges"]
    return [edge["node"] for edge in found]


def taste_of(*picks: str, finished: int = 0) -> Taste:
    """Horror picked, comedies (numbers 1, 7, 13…) finished afterwards."""
    at_s = NOW.timestamp() - 3600
    watched = {f"mov_{1 + 6 * number:03}": Watched(5000, 5000, True, True, at_s) for number in range(finished)}
    return Taste(1, watched, picks=picks, picked_at_s=at_s if picks else None)


async def test_picks_shape_the_next_page(subgraph: Any, open_titles: Any, viewer: Viewer) -> None:
    """Asked while nothing is known; what was picked draws the page, is named as picked, and is not shown as news."""
    await subgraph.tell_titles(open_titles)
    before = await ask(subgraph, viewer)
    cold = {section["kind"] for section in await sections(subgraph, viewer)}
    saved = await save(subgraph, viewer, *HORROR)
    warm = await sections(subgraph, viewer)

    assert (before["isWanted"], len(before["titles"]), before["picks"]) == (True, 20, [])
    assert "TOP_PICKS" not in cold
    assert saved["onboarding"] == {"isWanted": False, "picks": [{"id": title_id} for title_id in HORROR]}
    by_kind = {section["kind"]: section for section in reversed(warm)}
    assert by_kind["TOP_PICKS"]["reason"]["text"] == "Chosen from what this profile picked"
    assert by_kind["BECAUSE_YOU_WATCHED"]["heading"].startswith("Because you picked Film ")
    shown = {edge["node"]["title"]["id"] for section in warm for edge in section["items"]["edges"]}
    assert shown.isdisjoint(HORROR)
    reasons = [edge["node"].get("reason") for section in warm for edge in section["items"]["edges"]]
    named = {reason["becauseOf"]["id"] for reason in reasons if reason and reason["becauseOf"]}
    assert named
    assert named <= set(HORROR)


async def test_saving_again_replaces_and_is_told_once(subgraph: Any, open_titles: Any, viewer: Viewer) -> None:
    """The last picks count; the same ones sent again change and tell nothing; none at all is an answer."""
    await subgraph.tell_titles(open_titles)
    for picks in (HORROR, HORROR, [*HORROR, *HORROR], HORROR[:1], []):
        subgraph.clock.advance(timedelta(seconds=1))
        saved = await save(subgraph, viewer, *picks)
        assert [each["id"] for each in saved["onboarding"]["picks"]] == list(dict.fromkeys(picks))
        assert saved["onboarding"]["isWanted"] is False

    assert await subgraph.redis.xlen(stream_key("feedback")) == 3


async def test_what_cant_be_kept_is_said(subgraph: Any, open_titles: Any, make_snapshot: Any, viewer: Viewer) -> None:
    """No profile, too many, unknown and forbidden titles, episodes, and an account that refuses personalisation."""
    await subgraph.tell_titles([*open_titles, make_snapshot("mov_adult", minimumAge=18)])
    child = replace(viewer, profile_id="prof_kid", is_kids=True, maturity=7)

    assert (await save(subgraph, None, "mov_000"))["__typename"] == "NoProfileSelected"
    assert await ask(subgraph, None) is None
    many = await save(subgraph, viewer, *(f"mov_{number:03}" for number in range(11)))
    assert many == {"__typename": "InvalidInput", "message": "titleIds: 11 titles; send at most 10"}
    for who, title_id in ((viewer, "mov_none"), (child, "mov_adult"), (viewer, "epi_1_1")):
        refused = await save(subgraph, who, "mov_000" if who is viewer else title_id, title_id)
        assert refused == {"__typename": "TitleNotFound", "titleId": title_id}

    refusal = {"accountId": "acc_1", "profileIds": ["prof_1"], "purpose": "PERSONALISATION", "granted": False}
    await subgraph.tell("accounts", "consent.changed", {**refusal, "textVersion": 1})
    assert (await save(subgraph, viewer, "mov_000"))["__typename"] == "PersonalisationOff"
    asked = await ask(subgraph, viewer)
    assert (asked["isWanted"], asked["picks"]) == (False, [])
    body = await subgraph.ask("{ onboarding { titles(first: 21) { id } } }", {}, viewer)
    assert "first is 21" in body["errors"][0]["message"]


async def test_who_watched_is_not_asked(subgraph: Any, open_titles: Any, viewer: Viewer) -> None:
    """A history says more than picks; a child is asked about what is for children."""
    await subgraph.tell_titles(open_titles)
    await subgraph.watch("mov_003", 0.5)
    child = replace(viewer, profile_id="prof_kid", is_kids=True, maturity=7)

    assert (await ask(subgraph, viewer))["isWanted"] is False
    offered = await ask(subgraph, child)
    assert offered["isWanted"] is True
    for_children = {row["id"] for row in open_titles if row["isKids"]}
    assert {each["id"] for each in offered["titles"]} <= for_children


async def test_popularity_is_that_of_the_country(subgraph: Any, open_titles: Any, viewer: Viewer) -> None:
    """What is watched in a country is asked there and stands in its popular row, for profiles of which only it is known."""
    await subgraph.tell_titles([{**row, "popularity": 0.5} for row in open_titles])
    for number in range(12):
        await subgraph.tell("accounts", "profile.created", _profile(f"prof_br_{number}", "BR"))
        for title_id in ("mov_101", *(f"mov_{60 + place:03}" for place in (number, number + 1))):
            await subgraph.watch(title_id, 0.5, profile_id=f"prof_br_{number}")
    brazilian = replace(viewer, country="BR")

    assert (await ask(subgraph, brazilian))["titles"][0] == {"id": "mov_101"}
    popular = next(each for each in await sections(subgraph, brazilian) if each["kind"] == "POPULAR_IN_COUNTRY")
    assert popular["heading"] == "Popular in Brazil"


def _profile(profile_id: str, country: str) -> dict[str, Any]:
    facts = {"isKids": False, "maturity": 18, "country": country, "language": "en", "personalisation": True}
    return {"profileId": profile_id, "accountId": "acc_1", **facts}


def test_introductions_are_spread_over_genres(models: Models) -> None:
    """Of a catalogue whose best known titles are all horror, others are shown too; every one is well known."""
    catalogue = models.catalogue
    well_known = catalogue.popularity.copy()
    horror = catalogue.genres_by_id["gen_horror"].members
    well_known[horror] = 0.5 + well_known[horror] / 2
    known = best_places(well_known, catalogue.is_listable, 100)
    places = choose_introductions(catalogue, known, well_known[known], 20)
    genres = Counter(genre for place in places for _, genre in catalogue.records[place].genres)

    assert len(set(places)) == 20
    assert len(genres) == 6
    assert genres["Horror"] <= 8
    assert places == choose_introductions(catalogue, known, well_known[known], 20)
    assert not choose_introductions(catalogue, known[:0], well_known[:0], 20)


def test_history_outweighs_picks(models: Models) -> None:
    """Every model hears picks as likes of a low weight: alone they decide, after four finished films they do not."""
    catalogue = models.catalogue
    genres = [record.genres[0][1] if record.genres else "" for record in catalogue.records]

    def best_genre(taste: Taste) -> str:
        scores = score_titles(models, read_signals(taste, catalogue, NOW.timestamp())).by_model["content"].copy()
        scores[[catalogue.index_by_id[title_id] for title_id in (*taste.picks, *taste.watched)]] = -1
        return Counter(genres[place] for place in scores.argsort()[-10:].tolist()).most_common(1)[0][0]

    picks = tuple(f"mov_{number:03}" for number in range(0, 30, 6))
    assert best_genre(taste_of(*picks)) == "Horror"
    assert best_genre(taste_of(*picks, finished=4)) == "Comedy"


def test_a_pick_gives_way_to_what_is_known(models: Models) -> None:
    """Watching a picked title counts in its place, without consent nothing counts, and nobody else learns from picks."""
    taste = taste_of("mov_001", "mov_000", "mov_gone", finished=1)
    signals = read_signals(taste, models.catalogue, NOW.timestamp())
    place = models.catalogue.index_by_id

    assert signals.weights[place["mov_001"]] > 0.9
    assert list(signals.picked_at_s) == [place["mov_000"]]
    assert 0.3 < signals.weights[place["mov_000"]] < 0.36
    refused = read_signals(replace(taste, is_personal=False), models.catalogue, NOW.timestamp())
    assert not refused.weights
    assert not refused.picked_at_s
    assert list(read_likes(taste, models.catalogue)) == [place["mov_001"]]
