"""Candidate rows: everything that could stand on a page, each with its titles in order.

A row is proposed from masks and orders that exist already; no row looks at another, which is the choice's task. Every
title in a row is visible to the viewer and fits the page's kind. Discovery rows leave out what the profile has
finished, begun or refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

import msgspec
import numpy as np

from subgraphs.recommendations.domain.catalogue import BoolArray, Catalogue, FloatArray, Genre, IndexArray
from subgraphs.recommendations.domain.collections import Collection
from subgraphs.recommendations.domain.countries import country_in_words
from subgraphs.recommendations.domain.ordering import (
    best_of,
    best_places,
    first_allowed,
    most_popular,
    places_near_best,
)
from subgraphs.recommendations.domain.page import Reason
from subgraphs.recommendations.domain.sections import SectionKind
from subgraphs.recommendations.domain.trends import Trends, TrendWindow
from subgraphs.recommendations.experiments.parameters import FILM_BONUS
from subgraphs.recommendations.experiments.treatment import Treatment
from subgraphs.recommendations.models.blend import ProfileScores
from subgraphs.recommendations.pages.discovery import discover
from subgraphs.recommendations.pages.picks import Picks, choose_picks
from subgraphs.recommendations.pages.reasons import POOL as REASONS_POOL

__all__ = ["RowCandidate", "RowRequest", "propose_rows"]

POOL = 120
"""Titles per row before titles of other rows are taken out."""
BEST = max(POOL, REASONS_POOL)
FAVOURITE_GENRE_ROWS, GENRE_ROWS = 3, 5
"""For a profile with taste, and for one without, which has nothing else of its own."""
GENRE_SAMPLE = 10
MIN_GENRE_SIZE = 6
MIN_CAUSE_FRACTION = 0.2
GENRE_POPULARITY_SHARE = 0.4
CAUSE_RECENCY_HALF_LIFE_S = 14 * 24 * 3600.0
FRESH_S = 14 * 24 * 3600.0
"""What was gone on with in the last two weeks is what somebody comes back for: it stands first."""

_TREND_WORDS: Mapping[TrendWindow, tuple[str, str]] = {
    TrendWindow.HOUR: ("Trending now", "in the last hour"),
    TrendWindow.DAY: ("Trending today", "in the last day"),
    TrendWindow.WEEK: ("Trending this week", "in the last week"),
}


class RowCandidate(msgspec.Struct, frozen=True):
    """A row before the choice: `items` are titles to open, best first.

    `series` is the series of each, or -1; `relevance` is 0 to 1 by place. `is_pinned`: a rule puts it at the top.
    `picks`: how the items were chosen, where that may differ by card.
    """

    key: str
    kind: SectionKind
    heading: str
    reason: Reason | None
    items: IndexArray
    relevance: FloatArray
    series: IndexArray | None = None
    is_pinned: bool = False
    picks: Picks | None = None


@dataclass(frozen=True)
class RowRequest:
    """What rows are made from.

    `allowed`: visible to the viewer and of the page's kind. `trends`: in the country. `leaving`: what closes
    soon. `collections`: those that are open here and now. `owner`: whose page it is. `has_hero`: one title stands
    above all rows.
    """

    profile: ProfileScores
    allowed: BoolArray
    country: str | None
    trends: Trends
    leaving: IndexArray
    now_s: float
    because_rows: int
    collections: Sequence[Collection] = ()
    more_like: int | None = None
    treatment: Treatment = field(default_factory=Treatment)
    owner: str = ""
    has_hero: bool = False

    @property
    def catalogue(self) -> Catalogue:
        """The one that everything refers to."""
        return self.profile.models.catalogue

    @cached_property
    def hero(self) -> int | None:
        """The title above all rows: the one that suits best of those that play, or of all when none does."""
        if not self.has_hero or not len(self.best):
            return None
        places, bonus = self.best, np.float32(self.treatment.value(FILM_BONUS))
        if not self.catalogue.is_playable.take(places).any():
            # Else nothing behind the best can have more than all of them.
            places = np.concatenate((places, np.flatnonzero(self.fresh & self.catalogue.is_playable)))
        score = self.profile.scores.take(places) + bonus * self.catalogue.is_playable.take(places)
        first = places[score == score.max()]
        return int(first[np.lexsort((first, -self.catalogue.popularity[first]))[0]])

    @cached_property
    def best(self) -> IndexArray:
        """The BEST titles of `fresh` that the profile wants most, in order: reasons look at more of them than rows."""
        return best_places(self.profile.scores, self.fresh, BEST)

    @cached_property
    def fresh(self) -> BoolArray:
        """What discovery rows may show: nothing that the profile knows, by its own word or by what it did.

        Don't write into it.
        """
        mask = self.allowed & self.catalogue.is_listable
        signals = self.profile.signals
        known = [*signals.seen, *signals.started, *signals.refused, *signals.picked_at_s]
        mask[known] = False
        return mask


def propose_rows(request: RowRequest) -> list[RowCandidate]:
    """All rows that have something to show, in a fixed order of kinds."""
    fresh = request.fresh
    rows: list[RowCandidate | None] = []
    if request.more_like is not None:
        rows.append(_more_like(request, request.more_like, fresh))
    rows.append(_continue_watching(request))
    rows.append(_top_picks(request, fresh))
    rows.extend(_because_rows(request, fresh))
    rows.extend(_trending(request, window, fresh) for window in TrendWindow)
    rows.extend(_collection(request, collection, fresh) for collection in request.collections)
    rows.append(_new_releases(request, fresh))
    rows.append(_leaving_soon(request, fresh))
    rows.append(_popular(request, fresh))
    rows.extend(_genre_rows(request, fresh))
    rows.append(_my_list(request))
    rows.append(_watch_again(request))
    return [row for row in rows if row is not None and len(row.items)]


def _similar(request: RowRequest, index: int, mask: BoolArray) -> tuple[IndexArray, FloatArray]:
    """Allowed titles like a title, nearest first, with their likeness as a part of the nearest one's."""
    similar = request.profile.models.similar(index)
    kept = mask.take(similar.titles).nonzero()[0][:POOL]
    # How like the nearest is depends on how much is known of both; for a row it counts how fast likeness falls off.
    return similar.titles.take(kept), similar.likeness.take(kept) / similar.likeness[:1].max(initial=np.float32(1e-6))


def _relevance(request: RowRequest, items: IndexArray) -> FloatArray:
    return request.profile.scores.take(items)


def _mixed(own: FloatArray, request: RowRequest, items: IndexArray) -> FloatArray:
    """Half what makes the row, half what the profile wants: so that rows of all kinds are valued on one scale."""
    return (own + request.profile.scores.take(items)) / np.float32(2)


def _continue_watching(request: RowRequest) -> RowCandidate | None:
    pairs = [
        (title, work)
        for title, work in request.profile.signals.continued
        if request.allowed[title] and request.allowed[work] and work not in request.profile.signals.refused
    ]
    if not pairs:
        return None
    watched_at_s = request.profile.signals.watched_at_s
    return RowCandidate(
        key="continue-watching",
        kind=SectionKind.CONTINUE_WATCHING,
        heading="Continue watching",
        reason=None,
        items=np.array([title for title, _ in pairs], np.int32),
        relevance=np.ones(len(pairs), np.float32),
        series=np.array([work if work != title else -1 for title, work in pairs], np.int32),
        is_pinned=any(request.now_s - watched_at_s.get(work, 0.0) <= FRESH_S for _, work in pairs),
    )


def _top_picks(request: RowRequest, fresh: BoolArray) -> RowCandidate | None:
    if not request.profile.has_taste:
        return None
    discovery = discover(request.profile, fresh, request.owner, request.now_s)
    picks = choose_picks(request.profile, fresh, request.best[:POOL], request.treatment, request.hero)
    picks = picks.with_discovery(discovery, request.profile)
    return RowCandidate(
        key="top-picks",
        kind=SectionKind.TOP_PICKS,
        heading="Top picks for you",
        reason=Reason(f"Chosen from what this profile {_known_by(request)}"),
        items=picks.items,
        relevance=picks.relevance,
        picks=picks,
    )


def _known_by(request: RowRequest) -> str:
    """How the titles that speak for the profile became known."""
    signals = request.profile.signals
    if not signals.picked_at_s:
        return "watches and likes"
    speaking = {work for work, weight in signals.weights.items() if weight > 0}
    if speaking <= signals.picked_at_s.keys():
        return "picked"
    return "watches and likes" if speaking.isdisjoint(signals.picked_at_s) else "watches, likes and picked"


def _because_rows(request: RowRequest, fresh: BoolArray) -> Iterator[RowCandidate]:
    """A row for each of the titles watched or picked lately that the profile is drawn to most; the reason names it."""
    signals = request.profile.signals
    causes = sorted(
        (-weight * 0.5 ** (max(0.0, request.now_s - at_s) / CAUSE_RECENCY_HALF_LIFE_S), work)
        for work, at_s in {**signals.picked_at_s, **signals.watched_at_s}.items()
        if (weight := signals.weights.get(work, 0.0)) >= MIN_CAUSE_FRACTION
    )
    named = ((-less, work) for less, work in causes if request.allowed[work] and work not in signals.refused)
    for strength, work in islice(named, request.because_rows):
        record = request.catalogue.records[work]
        items, likeness = _wanted_first(request, *_similar(request, work, fresh))
        because = f"Because you {'picked' if work in signals.picked_at_s else 'watched'} {record.display_name}"
        yield RowCandidate(
            key=f"because-{record.id}",
            kind=SectionKind.BECAUSE_YOU_WATCHED,
            heading=because,
            reason=Reason(because, because_of=record.id),
            items=items,
            relevance=_mixed(likeness * np.float32(min(1.0, strength)), request, items),
        )


def _wanted_first(request: RowRequest, items: IndexArray, likeness: FloatArray) -> tuple[IndexArray, FloatArray]:
    """What is alike and wanted before what is only alike: a drama with two of the actors is no reason to be here."""
    order = np.argsort(-_mixed(likeness, request, items), kind="stable")
    return items.take(order), likeness.take(order)


def _trending(request: RowRequest, window: TrendWindow, fresh: BoolArray) -> RowCandidate | None:
    viewed = request.trends.by_window.get(window)
    if viewed is None:
        return None
    is_fresh = fresh.take(viewed.works)
    items, views = viewed.works[is_fresh][:POOL], viewed.views[is_fresh][:POOL]
    strength = (views / views.max(initial=0.0)).astype(np.float32)
    heading, when = _TREND_WORDS[window]
    return RowCandidate(
        key=f"trending-{window.value}",
        kind=SectionKind.TRENDING,
        heading=heading,
        reason=Reason(f"Watched most in {country_in_words(request.country)} {when}"),
        items=items,
        relevance=_mixed(np.sqrt(strength), request, items),
    )


def _collection(request: RowRequest, collection: Collection, fresh: BoolArray) -> RowCandidate:
    """What an editor put together, in the editor's order."""
    found = (request.catalogue.index(title_id) for title_id in collection.title_ids)
    items = np.array([index for index in found if index is not None and fresh[index]], np.int32)
    return RowCandidate(
        key=f"collection-{collection.id}",
        kind=SectionKind.COLLECTION,
        heading=collection.heading,
        reason=None,
        items=items,
        relevance=_relevance(request, items),
    )


def _new_releases(request: RowRequest, fresh: BoolArray) -> RowCandidate:
    items = first_allowed(request.catalogue.by_newest, fresh, POOL)
    return RowCandidate(
        key="new",
        kind=SectionKind.NEW_RELEASES,
        heading="New on Marquee",
        reason=None,
        items=items,
        relevance=_relevance(request, items),
    )


def _leaving_soon(request: RowRequest, fresh: BoolArray) -> RowCandidate:
    leaving = request.leaving[fresh.take(request.leaving)]
    items = best_of(leaving, request.profile.scores.take(leaving), POOL)
    return RowCandidate(
        key="leaving-soon",
        kind=SectionKind.LEAVING_SOON,
        heading="Leaving soon",
        reason=Reason("The last days to watch them"),
        items=items,
        relevance=_relevance(request, items),
    )


def _popular(request: RowRequest, fresh: BoolArray) -> RowCandidate:
    """Popularity at large, moved by what is watched in the viewer's country."""
    items, popularity = most_popular(request.catalogue, request.trends, fresh, POOL)
    return RowCandidate(
        key="popular",
        kind=SectionKind.POPULAR_IN_COUNTRY,
        heading=f"Popular in {country_in_words(request.country)}",
        reason=None,
        items=items,
        relevance=_mixed(np.clip(popularity, 0.0, 1.0), request, items),
    )


def _genre_rows(request: RowRequest, fresh: BoolArray) -> Iterator[RowCandidate]:
    """The favourite genres, or the largest ones for somebody without taste."""
    catalogue = request.catalogue
    for genre in _favourite_genres(request, fresh) if request.profile.has_taste else _large_genres(catalogue, fresh):
        mixed = request.profile.scores.take(genre.members)
        mixed *= np.float32(1 - GENRE_POPULARITY_SHARE)
        mixed += np.float32(GENRE_POPULARITY_SHARE) * genre.popularity
        near = places_near_best(mixed, fresh.take(genre.members), POOL)
        items = best_of(genre.members.take(near), mixed.take(near), POOL)
        yield RowCandidate(
            key=f"genre-{genre.id}",
            kind=SectionKind.GENRE,
            heading=genre.name,
            reason=Reason(f"You often watch {genre.name}") if _watches_often(request, genre) else None,
            items=items,
            relevance=_relevance(request, items),
        )


def _watches_often(request: RowRequest, genre: Genre) -> bool:
    """At least two titles of the genre."""
    topics, watched = request.catalogue.topics, request.profile.signals.watched_at_s
    return sum(islice((1 for work in watched if genre.id in topics[work]), 2)) == 2


def _favourite_genres(request: RowRequest, fresh: BoolArray) -> Iterator[Genre]:
    """Those that the profile is drawn to most, and that have enough to show."""
    table, genres = request.catalogue.topic_table, request.catalogue.genres_by_id
    drawn = table.by_genre(request.profile.signals.weights).tolist()
    pulls = sorted(
        (-pull * genre.rarity, genre.id)
        for topic, pull in zip(table.names, drawn, strict=True)
        if pull > 0 and (genre := genres.get(topic)) is not None
    )
    favourites = (genres[genre_id] for _, genre_id in pulls)
    return islice((genre for genre in favourites if _has_enough(genre, fresh)), FAVOURITE_GENRE_ROWS)


def _large_genres(catalogue: Catalogue, fresh: BoolArray) -> list[Genre]:
    """For somebody of whom nothing is known: those whose best known titles are known best."""
    pulls: dict[str, float] = {}
    for genre in catalogue.genres_by_id.values():
        if _has_enough(genre, fresh):
            best = first_allowed(genre.members, fresh, GENRE_SAMPLE)
            pulls[genre.id] = float(catalogue.popularity[best].sum()) * genre.rarity
    ranked = sorted((genre_id for genre_id, pull in pulls.items() if pull > 0), key=lambda each: (-pulls[each], each))
    return [catalogue.genres_by_id[genre_id] for genre_id in ranked[:GENRE_ROWS]]


def _has_enough(genre: Genre, fresh: BoolArray) -> bool:
    return len(first_allowed(genre.members, fresh, MIN_GENRE_SIZE)) >= MIN_GENRE_SIZE


def _my_list(request: RowRequest) -> RowCandidate | None:
    listed = [work for work in request.profile.signals.listed if request.allowed[work]]
    return _own_row("my-list", SectionKind.MY_LIST, "My List", listed)


def _watch_again(request: RowRequest) -> RowCandidate | None:
    signals = request.profile.signals
    seen = signals.seen - signals.refused - signals.started
    works = sorted(work for work in seen if request.allowed[work])
    works.sort(key=lambda work: -signals.watched_at_s.get(work, 0.0))
    return _own_row("watch-again", SectionKind.WATCH_AGAIN, "Watch again", works)


def _own_row(key: str, kind: SectionKind, heading: str, works: list[int]) -> RowCandidate | None:
    if not works:
        return None
    items = np.array(works[:POOL], np.int32)
    return RowCandidate(key, kind, heading, None, items, np.full(len(items), 0.6, np.float32))


def _more_like(request: RowRequest, index: int, fresh: BoolArray) -> RowCandidate:
    record = request.catalogue.records[index]
    items, _ = _similar(request, index, fresh)
    text = f"More like {record.display_name}"
    return RowCandidate(
        key=f"more-like-{record.id}",
        kind=SectionKind.TOP_PICKS,
        heading=text,
        reason=Reason(text, because_of=record.id),
        items=items,
        relevance=np.ones(len(items), np.float32),
        is_pinned=True,
    )
