"""An explained page: its numbers are those that the page was decided by, and each candidate is on the page or says why not."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.tokens import Viewer
from subgraphs.recommendations.domain.explanation import PageExplanation
from subgraphs.recommendations.domain.page import Page, PageWish
from subgraphs.recommendations.domain.sections import PageKind, SectionKind
from subgraphs.recommendations.domain.taste import Opinion, Taste, Watched
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.domain.trends import Trends, TrendWindow
from subgraphs.recommendations.models.blend import Models
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest, build_page, draft_page
from subgraphs.recommendations.pages.explain_page import explain_page
from subgraphs.recommendations.pages.explanation_in_words import write_explanation
from subgraphs.recommendations.services import serve_pages
from subgraphs.recommendations.services.keep_models import build_models

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
LIFE = timedelta(minutes=10)


@pytest.fixture(scope="module")
def models(make_titles: Any) -> Models:
    return build_models([record_from_snapshot(row) for row in make_titles(9, 240)], (), 1, NOW.timestamp())


def facts_of(models: Models, seed: int) -> PageFacts:
    """Eight films, finished or begun, half of them of one genre; a list; what is watched in the country."""
    chance = random.Random(seed)
    films = [f"mov_{6 * chance.randrange(40) + (seed % 6 if number % 2 else number):03}" for number in range(8)]
    watched = {
        film: Watched(4900 if chance.random() < 0.6 else 2000, 5000, True, True, NOW.timestamp() - place * 86_400)
        for place, film in enumerate(films)
    }
    listed = {f"mov_{chance.randrange(240):03}": Opinion(listed_at_s=NOW.timestamp() - 60) for _ in range(5)}
    views = {place: chance.random() for place in chance.sample(range(240), 30)}
    return PageFacts(models, Taste(1, watched, listed), Trends(dict.fromkeys(TrendWindow, views)))


def both(models: Models, seed: int, device: Any, viewer: Viewer) -> tuple[Page, PageExplanation]:
    request = PageRequest(PageWish(PageKind.HOME, device), viewer, "US", "prof_1")
    facts = facts_of(models, seed)
    return build_page(request, facts, NOW, LIFE), explain_page(request, facts, NOW, LIFE)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_page_that_is_explained(models: Models, seed: int, make_device: Any, viewer: Viewer) -> None:
    """The same revision, rows and cards; worths add up to the page's; scores are the sum of the models' parts."""
    page, explained = both(models, seed, make_device(), viewer)
    rows = [section for section in page.sections if section.kind is not SectionKind.HERO]

    assert explained.revision == page.revision
    assert [row.key for row in explained.rows] == [section.key for section in rows]
    assert sum(row.worth for row in explained.rows) == pytest.approx(explained.worth, abs=1e-2)
    for row, section in zip(explained.rows, rows, strict=True):
        assert [card.title_id for card in row.cards] == [card.title_id for card in section.cards[: len(row.cards)]]
        named = {card.title_id for card in section.cards if card.reason is not None}
        for card in row.cards:
            total = sum(card.by_model.values())
            assert card.score == pytest.approx(min(1.0, max(0.0, total)), abs=1e-3)
            assert (card.cause is not None and card.cause.is_named) == (card.title_id in named)
            if card.cause is not None and card.cause.is_named:
                assert card.cause.rank_without > card.cause.rank


@pytest.mark.parametrize("seed", range(4))
def test_every_candidate_is_on_the_page_or_says_why_not(
    models: Models, seed: int, make_device: Any, viewer: Viewer
) -> None:
    """Of all that could have been there, also of kinds that the device does not draw."""
    device = make_device("PHONE", supports=frozenset(SectionKind) - {SectionKind.MY_LIST})
    _, explained = both(models, seed, device, viewer)

    assert len(explained.rows) + len(explained.lost) == explained.candidate_count
    why = {lost.kind: lost.why for lost in explained.lost}
    assert why["MY_LIST"] == "the device does not draw this kind"
    assert all(lost.why for lost in explained.lost)
    words = write_explanation(explained)
    assert all(row.heading in words for row in explained.rows)
    assert all(lost.why in words for lost in explained.lost)


def test_a_row_that_lost_would_make_the_page_worse(models: Models, make_device: Any, viewer: Viewer) -> None:
    """What it says of a row in another's place is what the objective says of that page; without a row it is worth less."""
    request = PageRequest(PageWish(PageKind.HOME, make_device("PHONE")), viewer, "US", "prof_1")
    facts = facts_of(models, 2)
    explained = explain_page(request, facts, NOW, LIFE)
    choice = draft_page(request, facts, NOW).choice
    numbers = {row.candidate.key: number for number, row in enumerate(choice.rows)}
    order = [numbers[row.key] for row in explained.rows]
    total = choice.worth(order)
    assert total is not None
    assert total == pytest.approx(explained.worth, abs=1e-3)
    for place, row in enumerate(explained.rows):
        less = choice.worth([*order[:place], *order[place + 1 :]])
        assert row.page_without == (None if less is None else pytest.approx(total - less, abs=1e-3))


@pytest.mark.parametrize("seed", range(3))
def test_of_what_is_alike_the_wanted_comes_first(models: Models, seed: int, make_device: Any, viewer: Viewer) -> None:
    """A because-row is ordered by likeness and by what the profile wants together, so that its best cards are in sight."""
    request = PageRequest(PageWish(PageKind.HOME, make_device()), viewer, "US", "prof_1")
    rows = [row.candidate for row in draft_page(request, facts_of(models, seed), NOW).choice.rows]
    because = [row for row in rows if row.kind is SectionKind.BECAUSE_YOU_WATCHED]

    assert because
    for row in because:
        wanted = draft_page(request, facts_of(models, seed), NOW).profile.scores[row.items]
        alike = models.similar(models.catalogue.index_by_id[str(row.reason and row.reason.because_of)])
        likeness = dict(zip(alike.titles.tolist(), (alike.likeness / alike.likeness.max()).tolist(), strict=True))
        sums = [likeness[item] + score for item, score in zip(row.items.tolist(), wanted.tolist(), strict=True)]
        assert sums == pytest.approx(sorted(sums, reverse=True), abs=1e-6)


async def test_only_testers_have_their_pages_explained(subgraph: Any, catalogue_snapshots: Any, viewer: Viewer) -> None:
    """In the graph it is debug data of one's own page, behind a scope."""
    await subgraph.tell_titles(catalogue_snapshots)
    query = """query ($device: DeviceInput!) { page(kind: HOME, device: $device) { revision explanation } }"""
    device = {"formFactor": "TV", "widthPx": 1920, "heightPx": 1080, "supports": ["POPULAR_IN_COUNTRY", "GENRE"]}
    refused = await subgraph.ask(query, {"device": device}, viewer)
    told = await subgraph.data(query, {"device": device}, replace(viewer, scopes=frozenset({"tester"})))

    assert refused["errors"][0]["extensions"]["code"] == "PERMISSION_DENIED"
    assert refused["data"]["page"]["explanation"] is None
    assert told["page"]["explanation"]["revision"] == told["page"]["revision"]


async def test_other_pages_go_on_while_one_is_explained(
    subgraph: Any, catalogue_snapshots: list[dict[str, Any]], viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs as much as a hundred pages, so it is made beside the requests."""
    threads: list[threading.Thread] = []

    def note_thread(*arguments: Any) -> PageExplanation:
        threads.append(threading.current_thread())
        return explain_page(*arguments)

    monkeypatch.setattr(serve_pages, "explain_page", note_thread)
    await subgraph.tell_titles(catalogue_snapshots)
    query = """query ($device: DeviceInput!) { page(kind: HOME, device: $device) { explanation } }"""
    tv = {"formFactor": "TV", "widthPx": 1920, "heightPx": 1080, "supports": ["TOP_PICKS"]}
    await subgraph.data(query, {"device": tv}, replace(viewer, scopes=frozenset({"tester"})))
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
