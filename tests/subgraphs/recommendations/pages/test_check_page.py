"""Rules of pages: none is broken in generated worlds, and the checker sees every kind of breach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from common.tokens import Viewer
from subgraphs.recommendations.domain.page import Card, Page, PageWish, Section
from subgraphs.recommendations.domain.sections import PERSONAL_KINDS, PageKind, SectionKind
from subgraphs.recommendations.domain.taste import Feedback, Opinion, Taste, Watched
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.domain.trends import Trends
from subgraphs.recommendations.evaluation.page_rules import check_generated_pages
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest, build_page
from subgraphs.recommendations.pages.check_page import find_violations
from subgraphs.recommendations.services.keep_models import build_models

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


def test_two_thousand_generated_pages_keep_every_rule() -> None:
    """Of all kinds, for viewers of all rights, on devices old and new; `marquee evaluate page-rules` makes more."""
    report = check_generated_pages(2_000, seed=12)

    assert report.violations == 0, "\n".join(report.examples)
    assert report.pages == 2_000
    assert min(report.kinds.values()) > 200
    assert report.cards > 20_000


def test_the_same_seed_makes_the_same_pages() -> None:
    """So that a breach can be looked at again."""
    assert check_generated_pages(60, seed=5) == check_generated_pages(60, seed=5)


@pytest.fixture
def made(make_titles: Any, make_device: Any, viewer: Viewer) -> tuple[Page, PageRequest, PageFacts]:
    models = build_models([record_from_snapshot(row) for row in make_titles(2, 150)], [], 1, NOW.timestamp())
    watched = {"mov_000": Watched(4900, 5000, True, True, NOW.timestamp() - 3600)}
    seen = models.catalogue.visible(viewer, NOW)
    listed = [record.id for record, may_see in zip(models.catalogue.records, seen, strict=True) if may_see][-3:]
    refused = Opinion(feedback=Feedback.NOT_INTERESTED, listed_at_s=1.0)
    opinions = dict.fromkeys(listed, Opinion(listed_at_s=1.0)) | {listed[0]: refused}
    request = PageRequest(PageWish(PageKind.HOME, make_device()), viewer, "US", "prof_1")
    facts = PageFacts(models, Taste(1, watched, opinions), Trends())
    return build_page(request, facts, NOW, timedelta(minutes=10)), request, facts


def discovery(page: Page) -> list[int]:
    kinds = {SectionKind.HERO, *PERSONAL_KINDS}
    return [place for place, section in enumerate(page.sections) if section.kind not in kinds]


def listed_in_sight(page: Page) -> Card:
    return next(section.cards[0] for section in page.sections if section.kind is SectionKind.MY_LIST)


def with_cards(page: Page, place: int, change: Callable[[tuple[Card, ...]], tuple[Card, ...]]) -> Page:
    section = replace(page.sections[place], cards=change(page.sections[place].cards))
    return with_section(page, place, section)


def with_section(page: Page, place: int, section: Section) -> Page:
    return replace(page, sections=(*page.sections[:place], section, *page.sections[place + 1 :]))


def hidden_title(facts: PageFacts, viewer: Viewer) -> str:
    visible = facts.models.catalogue.visible(viewer, NOW)
    return next(record.id for record, may in zip(facts.models.catalogue.records, visible, strict=True) if not may)


def test_a_good_page_breaks_nothing(made: Any) -> None:
    """The page that the breaches below are made of."""
    page, request, facts = made

    assert find_violations(page, request, facts, NOW) == []
    assert len(discovery(page)) >= 4


BREACHES: dict[str, Callable[[Page, PageFacts, Viewer], Page]] = {
    "may not see": lambda page, facts, viewer: with_cards(
        page, discovery(page)[0], lambda cards: (*cards, Card(hidden_title(facts, viewer)))
    ),
    "is no title": lambda page, _facts, _viewer: with_cards(
        page, 0, lambda cards: (structs.replace(cards[0], title_id="mov_none"),)
    ),
    "is of kind EPISODE": lambda page, _facts, _viewer: with_cards(
        page, discovery(page)[0], lambda cards: (*cards, Card("epi_1_1"))
    ),
    "was watched": lambda page, _facts, _viewer: with_cards(
        page, discovery(page)[0], lambda cards: (*cards, Card("mov_000"))
    ),
    "was refused": lambda page, facts, _viewer: with_cards(
        page,
        discovery(page)[0],
        lambda cards: (*cards, Card(next(each for each, said in facts.taste.opinions.items() if said.feedback))),
    ),
    "stands 2 times in": lambda page, _facts, _viewer: with_cards(
        page, discovery(page)[0], lambda cards: (*cards, cards[0])
    ),
    "in the first 3 rows": lambda page, _facts, _viewer: with_cards(
        page, 2, lambda cards: (page.sections[1].cards[-1], *cards)
    ),
    "stands above already": lambda page, _facts, _viewer: with_cards(
        page, discovery(page)[-1], lambda cards: (page.sections[discovery(page)[0]].cards[0], *cards)
    ),
    "in sight in My List": lambda page, _facts, _viewer: with_cards(
        page, discovery(page)[0], lambda cards: (listed_in_sight(page), *cards)
    ),
    "of at most 40": lambda page, _facts, _viewer: with_cards(
        page, discovery(page)[0], lambda cards: tuple(Card(f"mov_{number:03}") for number in range(41))
    ),
    "of at least 4": lambda page, _facts, _viewer: with_cards(page, discovery(page)[0], lambda cards: cards[:3]),
    "two sections have one key": lambda page, _facts, _viewer: with_section(
        page, 2, replace(page.sections[2], key=page.sections[1].key)
    ),
    "sections of TOP_PICKS, of at most 1": lambda page, _facts, _viewer: replace(
        page, sections=tuple(replace(section, kind=SectionKind.TOP_PICKS) for section in page.sections)
    ),
}


@pytest.mark.parametrize("words", BREACHES)
def test_every_breach_is_seen(made: Any, words: str) -> None:
    """One rule is broken on a good page, and named."""
    page, request, facts = made

    broken = BREACHES[words](page, facts, request.viewer)

    assert any(words in text for text in find_violations(broken, request, facts, NOW))


def test_a_kind_that_is_not_drawn_is_seen(made: Any, make_device: Any) -> None:
    """The same page for an old device."""
    page, request, facts = made
    device = make_device(supports=frozenset({SectionKind.HERO, SectionKind.GENRE}))
    old = replace(request, wish=replace(request.wish, device=device))

    assert any("none of the kinds" in text for text in find_violations(page, old, facts, NOW))


@pytest.mark.parametrize("kind", [PageKind.SERIES, PageKind.KIDS, PageKind.GENRE])
def test_titles_of_another_page_are_seen(made: Any, kind: PageKind) -> None:
    """A home page is no page of series, for children or of a genre."""
    page, request, facts = made
    other = replace(request, wish=replace(request.wish, kind=kind, genre_id="gen_western"))

    assert any("does not belong" in text for text in find_violations(page, other, facts, NOW))
