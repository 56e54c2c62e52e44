"""One page: allowed titles → candidate rows → the choice → sections with cards, reasons and layout.

Reads as the description of a page. Deterministic: everything that could differ comes in as an argument, and the
revision is a hash of what came out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

import msgspec
import numpy as np

from common.tokens import Viewer
from subgraphs.recommendations.artwork.choose import ArtworkChooser
from subgraphs.recommendations.domain.artwork_sizes import MAIN_VARIANT
from subgraphs.recommendations.domain.catalogue import BoolArray, Catalogue
from subgraphs.recommendations.domain.collections import Collection
from subgraphs.recommendations.domain.devices import Device, budget_of, choose_layout
from subgraphs.recommendations.domain.matches import UNITS, spread_matches
from subgraphs.recommendations.domain.page import Card, Page, PageWish, Section
from subgraphs.recommendations.domain.sections import PageKind, SectionKind
from subgraphs.recommendations.domain.taste import Taste, read_signals
from subgraphs.recommendations.domain.titles import TitleKind
from subgraphs.recommendations.domain.trends import Trends
from subgraphs.recommendations.experiments.assign import NOBODY, Assigned
from subgraphs.recommendations.experiments.parameters import (
    BASE_RELEVANCE,
    BECAUSE_ROWS,
    COVERAGE_WORTH,
    ROW_DISCOUNT,
    SAME_KIND_DISCOUNT,
)
from subgraphs.recommendations.experiments.treatment import Treatment
from subgraphs.recommendations.models.blend import Models, ProfileScores
from subgraphs.recommendations.pages.choose import ChosenRow, PageChoice
from subgraphs.recommendations.pages.objective import Weights
from subgraphs.recommendations.pages.picks import Picks
from subgraphs.recommendations.pages.pictures import Pictures, choose_pictures
from subgraphs.recommendations.pages.reasons import Reasons
from subgraphs.recommendations.pages.rows import RowRequest, propose_rows

__all__ = ["PageDraft", "PageFacts", "PageRequest", "build_page", "draft_page", "write_page"]

LEAVING_WITHIN = timedelta(days=14)
REASONED_CARDS = 12
"""Cards of a row that get a reason of their own: those that are likely to be looked at."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page, for whom. `owner` identifies the profile, or the kind of anonymous viewer."""

    wish: PageWish
    viewer: Viewer
    country: str | None
    owner: str


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What is known when a page is built; `trends` are those of the viewer's country.

    `collections`: of all countries and times, in the order of their ids. `assigned`: the viewer's experiments.
    `artwork` chooses the viewer's pictures; None: the main ones.
    """

    models: Models
    taste: Taste
    trends: Trends
    collections: Sequence[Collection] = ()
    assigned: Sequence[Assigned] = NOBODY
    artwork: ArtworkChooser | None = None


@dataclass(frozen=True, slots=True)
class PageDraft:
    """A page that is decided and not written yet, with what decided it."""

    request: PageRequest
    rows: RowRequest
    choice: PageChoice
    hero: int | None
    chosen: Sequence[ChosenRow]
    reasons: Reasons
    artwork: ArtworkChooser | None

    @property
    def profile(self) -> ProfileScores:
        """What the viewer wants."""
        return self.rows.profile


def build_page(request: PageRequest, facts: PageFacts, now: datetime, life: timedelta) -> Page:
    """The page at `now`, good for `life`."""
    return write_page(draft_page(request, facts, now), now, life)


def draft_page(request: PageRequest, facts: PageFacts, now: datetime) -> PageDraft:
    """Which rows stand on the page at `now`, with which titles."""
    models, wish, device = facts.models, request.wish, request.wish.device
    catalogue, budget, now_s = models.catalogue, budget_of(device.form_factor), now.timestamp()
    profile = models.scored(read_signals(facts.taste, catalogue, now_s))
    treatment = Treatment(facts.assigned, request.owner, now)
    rows = RowRequest(
        profile=profile,
        allowed=_allowed(request, catalogue, now),
        country=request.country,
        trends=facts.trends,
        # As for what is visible, no country is guessed: a title closes where the viewer is.
        leaving=catalogue.leaving(request.viewer.country, now, LEAVING_WITHIN),
        collections=[each for each in facts.collections if each.is_open(request.country, now)],
        now_s=now_s,
        because_rows=min(budget.because_rows, treatment.value(BECAUSE_ROWS)) if profile.has_taste else 0,
        more_like=None if wish.title_id is None else catalogue.index(wish.title_id),
        treatment=treatment,
        owner=request.owner,
        has_hero=SectionKind.HERO in device.supports,
    )
    hero, weights = rows.hero, _weights(treatment)
    choice = PageChoice(propose_rows(rows), catalogue, device.supports, budget, hero, weights=weights)
    reasons = Reasons(profile, rows.allowed, rows.fresh, best=rows.best)
    return PageDraft(request, rows, choice, hero, choice.best(), reasons, facts.artwork)


def write_page(draft: PageDraft, now: datetime, life: timedelta) -> Page:
    """Its sections with their cards and reasons, under a revision."""
    device, catalogue = draft.request.wish.device, draft.rows.catalogue
    pictures = choose_pictures(draft.artwork, device, draft.hero, draft.chosen)
    top = [] if draft.hero is None else [_hero_section(device, catalogue, draft.reasons, draft.hero, pictures)]
    below = (_section(device, catalogue, draft.reasons, row, pictures) for row in draft.chosen)
    sections = (*top, *below)
    return _finish(draft, sections, _matches(draft, now), now, life)


def _weights(treatment: Treatment) -> Weights:
    return Weights(
        row_discount=treatment.value(ROW_DISCOUNT),
        same_kind_discount=treatment.value(SAME_KIND_DISCOUNT),
        base_relevance=treatment.value(BASE_RELEVANCE),
        coverage_worth=treatment.value(COVERAGE_WORTH),
    )


def _allowed(request: PageRequest, catalogue: Catalogue, now: datetime) -> BoolArray:
    visible, wish = catalogue.visible(request.viewer, now), request.wish
    match wish.kind:
        case PageKind.MOVIES:
            return visible & catalogue.is_movie
        case PageKind.SERIES:
            return visible & ~catalogue.is_movie
        case PageKind.KIDS:
            return visible & catalogue.is_kids
        case PageKind.GENRE:
            members = np.zeros(len(catalogue), np.bool_)
            genre = catalogue.genres_by_id.get(wish.genre_id or "")
            if genre is not None:
                members[genre.members] = True
            # An episode belongs where its series does.
            return visible & members[catalogue.works]
        case PageKind.HOME | PageKind.MORE_LIKE_THIS:
            return visible


def _hero_section(device: Device, catalogue: Catalogue, reasons: Reasons, hero: int, pictures: Pictures) -> Section:
    record, layout = catalogue.records[hero], choose_layout(device, SectionKind.HERO)
    variant = pictures.in_role(layout.artwork_role).get(hero, MAIN_VARIANT)
    card = Card(record.id, reason=reasons.of(hero), variant=variant)
    # Not the title's name: that stands below it, as a logo or in words.
    heading = "Tonight's film" if record.kind is TitleKind.MOVIE else "Tonight's series"
    return Section("hero", SectionKind.HERO, heading, card.reason, layout, (card,))


def _section(device: Device, catalogue: Catalogue, reasons: Reasons, row: ChosenRow, pictures: Pictures) -> Section:
    candidate = row.candidate
    layout = choose_layout(device, candidate.kind)
    variants = pictures.in_role(layout.artwork_role)
    if candidate.picks is None:
        cards = _cards(catalogue, row, variants)
    else:
        settled = candidate.picks.settle(row.kept, budget_of(device.form_factor).first_cards)
        cards = _picked_cards(catalogue, reasons, candidate.picks, settled, variants)
    return Section(
        key=candidate.key,
        kind=candidate.kind,
        heading=candidate.heading,
        reason=candidate.reason,
        layout=layout,
        cards=tuple(cards),
    )


def _cards(catalogue: Catalogue, row: ChosenRow, variants: Mapping[int, str]) -> Iterable[Card]:
    kept, ids = np.array(row.kept, np.intp), catalogue.ids
    titles = row.candidate.items[kept].tolist()
    if row.candidate.series is None:
        if not variants:
            return map(Card, map(ids.__getitem__, titles))
        return [Card(ids[title], None, None, "", variants.get(title, MAIN_VARIANT)) for title in titles]
    return [
        Card(ids[title], ids[series] if series >= 0 else None, variant=variants.get(title, MAIN_VARIANT))
        for title, series in zip(titles, row.candidate.series[kept].tolist(), strict=True)
    ]


def _picked_cards(
    catalogue: Catalogue,
    reasons: Reasons,
    picks: Picks,
    settled: Sequence[tuple[int, int]],
    variants: Mapping[int, str],
) -> Iterator[Card]:
    """In the order that the rankers settled on, the first ones with reasons."""
    items, ids = picks.items.tolist(), catalogue.ids
    for place, (item, team) in enumerate(settled):
        title = items[item]
        reason = reasons.by(picks.ranker_of(team)).of(title) if place < REASONED_CARDS else None
        variant = variants.get(title, MAIN_VARIANT)
        yield Card(ids[title], None, reason, picks.code_of(team), variant)


def _matches(draft: PageDraft, now: datetime) -> Mapping[str, float | None]:
    """Of the cards of the first answer; who pages on asks for others."""
    profile, catalogue, viewer = draft.profile, draft.rows.catalogue, draft.request.viewer
    titles = _first_titles(draft)
    title_ids = [catalogue.ids[title] for title in titles]
    if not profile.has_taste or viewer.profile_id is None:
        return dict.fromkeys(title_ids)
    works = catalogue.works[titles]
    in_sight = catalogue.visible(viewer, now) & catalogue.is_listable
    units = spread_matches(profile.scores[works], profile.scores, in_sight).tolist()
    return {
        title_id: each / UNITS if is_shown else None
        for title_id, each, is_shown in zip(title_ids, units, in_sight[works].tolist(), strict=True)
    }


def _first_titles(draft: PageDraft) -> list[int]:
    """What the cards of the first answer show, each once."""
    budget = budget_of(draft.request.wish.device.form_factor)
    top = [] if draft.hero is None else [draft.hero]
    rows = draft.chosen[: budget.first_sections - len(top)]
    # One by one: of ten titles sooner than as an array.
    in_sight = (map(row.candidate.items.item, row.kept[: budget.first_cards]) for row in rows)
    return list(dict.fromkeys(chain(top, *in_sight)))


def _finish(
    draft: PageDraft,
    sections: tuple[Section, ...],
    matches: Mapping[str, float | None],
    now: datetime,
    life: timedelta,
) -> Page:
    request, exposures = draft.request, draft.rows.treatment.used
    tag = "" if draft.artwork is None else draft.artwork.tag
    wish, device = request.wish, request.wish.device
    place = (request.owner, wish.kind, wish.genre_id, wish.title_id, device.form_factor)
    # A revision is built again for the device that it was made for: the same sections for another one are another.
    made_for = (device.width_px, device.height_px, device.pixel_ratio, device.image_formats, sorted(device.supports))
    return Page(
        id=f"page_{_digest(place)}",
        owner=request.owner,
        wish=wish,
        # What tracking says differs between arms and between policies of artwork, also where they show the same.
        revision=_digest((place, made_for, sections, [exposure.code for exposure in exposures], tag)),
        built_at=now,
        expires_at=now + life,
        sections=sections,
        exposures=exposures,
        artwork_tag=tag,
        matches=matches,
    )


def _digest(value: object) -> str:
    """The first 96 bits of SHA-256 over the value's JSON, in hexadecimal."""
    # Processors have instructions for it: BLAKE2 takes twice as long, of the 25 kB of a page.
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:24]
