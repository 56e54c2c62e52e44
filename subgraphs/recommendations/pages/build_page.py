"""One page: allowed titles → candidate rows → the choice → sections with cards, reasons and layout.

Reads as the description of a page. Deterministic: everything that could differ comes in as an argument, and the
revision is a hash of what came out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import numpy as np

from common.tokens import Viewer
from subgraphs.recommendations.domain.catalogue import BoolArray, Catalogue
from subgraphs.recommendations.domain.collections import Collection
from subgraphs.recommendations.domain.devices import Device, budget_of, choose_layout
from subgraphs.recommendations.domain.page import Card, Page, PageWish, Section
from subgraphs.recommendations.domain.sections import PageKind, SectionKind
from subgraphs.recommendations.domain.taste import Taste, read_signals
from subgraphs.recommendations.domain.titles import TitleKind
from subgraphs.recommendations.domain.trends import TrendWindow
from subgraphs.recommendations.models.blend import Models, score_titles
from subgraphs.recommendations.pages.choose import ChosenRow, choose_rows
from subgraphs.recommendations.pages.reasons import Reasons
from subgraphs.recommendations.pages.rows import RowRequest, propose_rows

__all__ = ["PageFacts", "PageRequest", "build_page"]

PLAYABLE_HERO_BONUS = 1.0
"""What stands at the top should play: a title with a film goes before all without."""
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
    """What is known when a page is built; `trends` are decayed views by title id in the viewer's country.

    `collections`: of all countries and times, in the order of their ids.
    """

    models: Models
    taste: Taste
    trends: Mapping[TrendWindow, Mapping[str, float]]
    collections: Sequence[Collection] = ()


def build_page(request: PageRequest, facts: PageFacts, now: datetime, life: timedelta) -> Page:
    """The page at `now`, good for `life`."""
    models, wish, device = facts.models, request.wish, request.wish.device
    catalogue, budget, now_s = models.catalogue, budget_of(device.form_factor), now.timestamp()
    profile = score_titles(models, read_signals(facts.taste, catalogue, now_s))
    allowed = _allowed(request, catalogue, now)
    rows = RowRequest(
        profile=profile,
        allowed=allowed,
        country=request.country,
        trends={window: _views_by_work(catalogue, views) for window, views in facts.trends.items()},
        # As for what is visible, no country is guessed: a title closes where the viewer is.
        leaving=catalogue.leaving(request.viewer.country, now, LEAVING_WITHIN),
        collections=[each for each in facts.collections if each.is_open(request.country, now)],
        now_s=now_s,
        because_rows=budget.because_rows,
        more_like=None if wish.title_id is None else catalogue.index(wish.title_id),
    )
    hero = _choose_hero(rows) if SectionKind.HERO in device.supports else None
    chosen = choose_rows(propose_rows(rows), catalogue, device.supports, budget, hero)
    reasons = Reasons(profile, allowed, rows.fresh)
    top = [] if hero is None else [_hero_section(device, catalogue, reasons, hero)]
    return _finish(request, (*top, *(_section(device, catalogue, reasons, row) for row in chosen)), now, life)


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


def _views_by_work(catalogue: Catalogue, views: Mapping[str, float]) -> dict[int, float]:
    by_work: dict[int, float] = {}
    for title_id, count in views.items():
        work = catalogue.work(title_id)
        if work is not None:
            by_work[work] = by_work.get(work, 0.0) + count
    return by_work


def _choose_hero(rows: RowRequest) -> int | None:
    """The title that suits the profile best among those that play, or among all when none does."""
    places = np.flatnonzero(rows.fresh)
    if not len(places):
        return None
    catalogue = rows.catalogue
    score = rows.profile.scores[places] + PLAYABLE_HERO_BONUS * catalogue.is_playable[places]
    best = places[score == score.max()]
    return int(best[np.lexsort((best, -catalogue.popularity[best]))[0]])


def _hero_section(device: Device, catalogue: Catalogue, reasons: Reasons, hero: int) -> Section:
    record = catalogue.records[hero]
    card = Card(record.id, reason=reasons.of(hero))
    # Not the title's name: that stands below it, as a logo or in words.
    heading = "Tonight's film" if record.kind is TitleKind.MOVIE else "Tonight's series"
    return Section("hero", SectionKind.HERO, heading, card.reason, choose_layout(device, SectionKind.HERO), (card,))


def _section(device: Device, catalogue: Catalogue, reasons: Reasons, row: ChosenRow) -> Section:
    candidate, records = row.candidate, catalogue.records
    is_reasoned = candidate.kind is SectionKind.TOP_PICKS and candidate.key == "top-picks"
    cards = []
    for place, item in enumerate(row.kept):
        index = int(candidate.items[item])
        series = -1 if candidate.series is None else int(candidate.series[item])
        reason = reasons.of(index) if is_reasoned and place < REASONED_CARDS else None
        cards.append(Card(records[index].id, records[series].id if series >= 0 else None, reason))
    return Section(
        key=candidate.key,
        kind=candidate.kind,
        heading=candidate.heading,
        reason=candidate.reason,
        layout=choose_layout(device, candidate.kind),
        cards=tuple(cards),
    )


def _finish(request: PageRequest, sections: tuple[Section, ...], now: datetime, life: timedelta) -> Page:
    wish, device = request.wish, request.wish.device
    place = (request.owner, wish.kind, wish.genre_id, wish.title_id, device.form_factor)
    # A revision is built again for the device that it was made for: the same sections for another one are another.
    made_for = (device.width_px, device.height_px, device.pixel_ratio, device.image_formats, sorted(device.supports))
    return Page(
        id=f"page_{_digest(place)}",
        owner=request.owner,
        wish=wish,
        revision=_digest((place, made_for, sections)),
        built_at=now,
        expires_at=now + life,
        sections=sections,
    )


def _digest(value: object) -> str:
    """96 bits in hexadecimal over the value's JSON."""
    return hashlib.blake2s(msgspec.json.encode(value), digest_size=12).hexdigest()
