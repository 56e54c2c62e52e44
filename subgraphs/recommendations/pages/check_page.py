"""Every rule of a page, looked for on a finished one: what was decided is checked by other code than decided it.

Reads nothing but the page and the facts it was made from, and knows nothing of rows, worth or slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from subgraphs.kernel.policy import decide
from subgraphs.recommendations.domain.catalogue import Catalogue
from subgraphs.recommendations.domain.page import Card, Page, Section
from subgraphs.recommendations.domain.sections import PERSONAL_KINDS, PageKind, SectionKind
from subgraphs.recommendations.domain.taste import Feedback, Taste
from subgraphs.recommendations.domain.titles import TitleKind
from subgraphs.recommendations.pages.build_page import PageFacts, PageRequest
from subgraphs.recommendations.pages.choose import FIRST_ROWS, MAX_OF_KIND, MIN_CARDS

__all__ = ["find_violations"]


def find_violations(page: Page, request: PageRequest, facts: PageFacts, now: datetime) -> list[str]:
    """In words, each with what breaks which rule; empty for a page that keeps all of them."""
    return [
        *_unseen_titles(page, request, facts, now),
        *_foreign_titles(page, request, facts),
        *_unwanted_titles(page, facts),
        *_repetitions(page),
        *_listed_elsewhere(page),
        *_limits(page, request),
    ]


def _unseen_titles(page: Page, request: PageRequest, facts: PageFacts, now: datetime) -> Iterator[str]:
    catalogue = facts.models.catalogue
    for title_id in sorted(page.title_ids):
        index = catalogue.index(title_id)
        if index is None:
            yield f"{title_id} is no title"
        elif not decide(request.viewer, catalogue.records[index].facts, now).may_see:
            yield f"{title_id} is named, which the viewer may not see"


def _foreign_titles(page: Page, request: PageRequest, facts: PageFacts) -> Iterator[str]:
    catalogue, wish = facts.models.catalogue, request.wish
    for section, card in _cards(page, catalogue):
        record = catalogue.records[catalogue.index_by_id[card.title_id]]
        work = catalogue.records[int(catalogue.works[catalogue.index_by_id[card.title_id]])]
        if record.kind is TitleKind.VIDEO or (
            record.kind is TitleKind.EPISODE and section.kind is not SectionKind.CONTINUE_WATCHING
        ):
            yield f"{card.title_id} in {section.key} is of kind {record.kind}"
        is_of_page = {
            PageKind.MOVIES: record.kind is TitleKind.MOVIE,
            PageKind.SERIES: record.kind is not TitleKind.MOVIE,
            PageKind.KIDS: record.facts.is_kids,
            PageKind.GENRE: any(genre_id == wish.genre_id for genre_id, _ in work.genres),
        }
        if not is_of_page.get(wish.kind, True):
            yield f"{card.title_id} in {section.key} does not belong on a page of kind {wish.kind}"


def _unwanted_titles(page: Page, facts: PageFacts) -> Iterator[str]:
    catalogue, taste = facts.models.catalogue, facts.taste
    refused = _works(facts, {title_id for title_id in taste.opinions if _is_refused(taste, catalogue, title_id)})
    # A series that was left open on purpose is not watched: only films and series themselves are.
    watched = {title_id for title_id, place in taste.watched.items() if place.ever_completed}
    for section, card in _cards(page, catalogue):
        work = card.series_id or card.title_id
        if section.kind is not SectionKind.MY_LIST and catalogue.work(work) in refused:
            yield f"{work} in {section.key} was refused"
        if section.kind not in PERSONAL_KINDS and card.title_id in watched:
            yield f"{work} in {section.key} was watched"


def _is_refused(taste: Taste, catalogue: Catalogue, title_id: str) -> bool:
    """By a thumb, or by few stars for the film or series itself."""
    said = taste.opinions[title_id]
    is_work = catalogue.index(title_id) == catalogue.work(title_id)
    return said.feedback in {Feedback.NOT_INTERESTED, Feedback.THUMBS_DOWN} or (is_work and said.stars in {1, 2})


def _works(facts: PageFacts, title_ids: set[str]) -> set[int | None]:
    return {facts.models.catalogue.work(title_id) for title_id in title_ids} - {None}


def _repetitions(page: Page) -> Iterator[str]:
    rows = [section for section in page.sections if section.kind is not SectionKind.HERO]
    for section in rows:
        for work, count in Counter(_works_of(section)).items():
            if count > 1:
                yield f"{work} stands {count} times in {section.key}"
    for work, count in Counter(work for row in rows[:FIRST_ROWS] for work in _works_of(row)).items():
        if count > 1:
            yield f"{work} stands {count} times in the first {FIRST_ROWS} rows"
    visible = set() if _is_scarce(page) else {work for hero in _heroes(page) for work in _works_of(hero)}
    for section in rows:
        works = _works_of(section)
        if section.kind not in PERSONAL_KINDS:
            for work in sorted(visible & set(works[: page.budget.first_cards])):
                yield f"{work} in sight in {section.key} stands above already"
        visible |= set(works[: page.budget.first_cards])


def _listed_elsewhere(page: Page) -> Iterator[str]:
    """What the profile put on its list itself is no discovery while the list is on the page, wherever that stands."""
    first_cards = page.budget.first_cards
    listed = {
        work
        for section in page.sections
        if section.kind is SectionKind.MY_LIST
        for work in _works_of(section)[:first_cards]
    }
    others = {work for section in _discovery(page) for work in _works_of(section)} - listed
    if page.wish.kind is PageKind.MORE_LIKE_THIS or len(others) <= MIN_CARDS:
        return
    for section in _discovery(page):
        for work in sorted(listed & set(_works_of(section)[:first_cards])):
            yield f"{work} in sight in {section.key} is in sight in My List"


def _limits(page: Page, request: PageRequest) -> Iterator[str]:
    device, budget = request.wish.device, page.budget
    if len(page.sections) > budget.max_sections:
        yield f"{len(page.sections)} sections, of at most {budget.max_sections}"
    if len({section.key for section in page.sections}) < len(page.sections):
        yield "two sections have one key"
    for kind, count in Counter(section.kind for section in page.sections).items():
        if kind not in device.supports:
            yield f"{kind} is none of the kinds that the device draws"
        if count > MAX_OF_KIND.get(kind, 1):
            yield f"{count} sections of {kind}, of at most {MAX_OF_KIND.get(kind, 1)}"
    for section in page.sections:
        if len(section.cards) > budget.max_cards:
            yield f"{len(section.cards)} cards in {section.key}, of at most {budget.max_cards}"
        needed = 1 if section.kind in {SectionKind.HERO, *PERSONAL_KINDS} or _is_scarce(page) else MIN_CARDS
        if len(section.cards) < needed:
            yield f"{len(section.cards)} cards in {section.key}, of at least {needed}"


def _heroes(page: Page) -> list[Section]:
    return [section for section in page.sections if section.kind is SectionKind.HERO]


def _is_scarce(page: Page) -> bool:
    """All rows that could propose something have no more than one short row's worth of titles together."""
    return len({work for section in _discovery(page) for work in _works_of(section)}) <= MIN_CARDS


def _discovery(page: Page) -> list[Section]:
    return [section for section in page.sections if section.kind not in {SectionKind.HERO, *PERSONAL_KINDS}]


def _works_of(section: Section) -> list[str]:
    return [card.series_id or card.title_id for card in section.cards]


def _cards(page: Page, catalogue: Catalogue) -> Iterator[tuple[Section, Card]]:
    """Of titles that there are; the others are found as such."""
    for section in page.sections:
        for card in section.cards:
            if catalogue.index(card.title_id) is not None:
                yield section, card
