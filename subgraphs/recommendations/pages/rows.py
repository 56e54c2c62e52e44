"""Candidate rows: everything that could stand on a page, each with its titles in order.

A row is proposed from masks and orders that exist already; no row looks at another, which is the choice's task. Every
title in a row is visible to the viewer and fits the page's kind. Discovery rows leave out what the profile has
finished, begun or refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from subgraphs.recommendations.domain.catalogue import BoolArray, Catalogue, FloatArray, IndexArray
from subgraphs.recommendations.domain.collections import Collection
from subgraphs.recommendations.domain.countries import country_in_words
from subgraphs.recommendations.domain.page import Reason
from subgraphs.recommendations.domain.sections import SectionKind
from subgraphs.recommendations.domain.trends import TrendWindow, combine
from subgraphs.recommendations.models.blend import ProfileScores

__all__ = ["RowCandidate", "RowRequest", "propose_rows"]

POOL = 120
"""Titles per row before titles of other rows are taken out."""
FAVOURITE_GENRE_ROWS, GENRE_ROWS = 3, 5
"""For a profile with taste, and for one without, which has nothing else of its own."""
GENRE_SAMPLE = 10
MIN_GENRE_SIZE = 6
MIN_CAUSE_FRACTION = 0.2
GENRE_POPULARITY_SHARE = 0.4
COUNTRY_TREND_SHARE = 0.5
CAUSE_RECENCY_HALF_LIFE_S = 14 * 24 * 3600.0
FRESH_S = 14 * 24 * 3600.0
"""What was gone on with in the last two weeks is what somebody comes back for: it stands first."""

_TREND_WORDS: Mapping[TrendWindow, tuple[str, str]] = {
    TrendWindow.HOUR: ("Trending now", "in the last hour"),
    TrendWindow.DAY: ("Trending today", "in the last day"),
    TrendWindow.WEEK: ("Trending this week", "in the last week"),
}


@dataclass(frozen=True)
class RowCandidate:
    """A row before the choice: `items` are titles to open, best first.

    `series` is the series of each, or -1; `relevance` is 0 to 1 by place. `is_pinned`: a rule puts it at the top.
    """

    key: str
    kind: SectionKind
    heading: str
    reason: Reason | None
    items: IndexArray
    relevance: FloatArray
    series: IndexArray | None = None
    is_pinned: bool = False


@dataclass(frozen=True)
class RowRequest:
    """What rows are made from.

    `allowed`: visible to the viewer and of the page's kind. `trends`: views by title index. `leaving`: what closes
    soon. `collections`: those that are open here and now.
    """

    profile: ProfileScores
    allowed: BoolArray
    country: str | None
    trends: Mapping[TrendWindow, Mapping[int, float]]
    leaving: BoolArray
    now_s: float
    because_rows: int
    collections: Sequence[Collection] = ()
    more_like: int | None = None

    @property
    def catalogue(self) -> Catalogue:
        """The one that everything refers to."""
        return self.profile.models.catalogue

    @property
    def fresh(self) -> BoolArray:
        """What discovery rows may show."""
        mask = self.allowed & self.catalogue.is_listable
        signals = self.profile.signals
        known = [*signals.seen, *signals.started, *signals.refused]
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


def _ordered(order: IndexArray, mask: BoolArray) -> IndexArray:
    return order[mask[order]][:POOL]


def _best(scores: FloatArray, mask: BoolArray) -> IndexArray:
    """The POOL best allowed titles, best first; ties by place, so that the order is always the same."""
    places = np.flatnonzero(mask)
    if len(places) > POOL:
        # Cut generously, then sort the few: ties at the cut are decided by the full sort.
        cut = np.partition(scores[places], len(places) - POOL)[len(places) - POOL]
        places = places[scores[places] >= cut]
    return places[np.lexsort((places, -scores[places]))][:POOL].astype(np.int32)


def _similar(request: RowRequest, index: int, mask: BoolArray) -> tuple[IndexArray, FloatArray]:
    """Allowed titles like a title, nearest first, with their likeness as a part of the nearest one's."""
    similar = request.profile.models.similar(index)
    kept = np.flatnonzero(mask[similar.titles])[:POOL]
    # How like the nearest is depends on how much is known of both; for a row it counts how fast likeness falls off.
    return similar.titles[kept], similar.likeness[kept] / similar.likeness.max(initial=np.float32(1e-6))


def _relevance(request: RowRequest, items: IndexArray) -> FloatArray:
    return request.profile.scores[items]


def _mixed(own: FloatArray, request: RowRequest, items: IndexArray) -> FloatArray:
    """Half what makes the row, half what the profile wants: so that rows of all kinds are valued on one scale."""
    return (own + request.profile.scores[items]) / np.float32(2)


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
    items = _best(request.profile.scores, fresh)
    return RowCandidate(
        key="top-picks",
        kind=SectionKind.TOP_PICKS,
        heading="Top picks for you",
        reason=Reason("Chosen from what this profile watches and likes"),
        items=items,
        relevance=_relevance(request, items),
    )


def _because_rows(request: RowRequest, fresh: BoolArray) -> Iterator[RowCandidate]:
    """A row for each of the titles watched lately that the profile is drawn to most; the reason names it."""
    signals = request.profile.signals
    causes = [
        (signals.weights[work] * 0.5 ** (max(0.0, request.now_s - at_s) / CAUSE_RECENCY_HALF_LIFE_S), work)
        for work, at_s in signals.watched_at_s.items()
        if signals.weights.get(work, 0.0) >= MIN_CAUSE_FRACTION
        and request.allowed[work]
        and work not in signals.refused
    ]
    for strength, work in sorted(causes, key=lambda cause: (-cause[0], cause[1]))[: request.because_rows]:
        record = request.catalogue.records[work]
        items, likeness = _similar(request, work, fresh)
        yield RowCandidate(
            key=f"because-{record.id}",
            kind=SectionKind.BECAUSE_YOU_WATCHED,
            heading=f"Because you watched {record.display_name}",
            reason=Reason(f"Because you watched {record.display_name}", because_of=record.id),
            items=items,
            relevance=_mixed(likeness * np.float32(min(1.0, strength)), request, items),
        )


def _trending(request: RowRequest, window: TrendWindow, fresh: BoolArray) -> RowCandidate | None:
    views = {index: count for index, count in request.trends.get(window, {}).items() if fresh[index]}
    if not views:
        return None
    items = np.array(sorted(views, key=lambda index: (-views[index], index))[:POOL], np.int32)
    most = max(views.values())
    strength = np.array([views[index] / most for index in items.tolist()], np.float32)
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
    items = _ordered(request.catalogue.by_newest, fresh)
    return RowCandidate(
        key="new",
        kind=SectionKind.NEW_RELEASES,
        heading="New on Marquee",
        reason=None,
        items=items,
        relevance=_relevance(request, items),
    )


def _leaving_soon(request: RowRequest, fresh: BoolArray) -> RowCandidate:
    items = _best(request.profile.scores, fresh & request.leaving)
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
    score = request.catalogue.popularity
    trends = combine(request.trends)
    if trends:
        score = score.copy()
        most = max(trends.values())
        for index, views in trends.items():
            score[index] += np.float32(COUNTRY_TREND_SHARE * views / most)
        items = _best(score, fresh)
    else:
        items = _ordered(request.catalogue.by_popularity, fresh)
    return RowCandidate(
        key="popular",
        kind=SectionKind.POPULAR_IN_COUNTRY,
        heading=f"Popular in {country_in_words(request.country)}",
        reason=None,
        items=items,
        relevance=_mixed(np.clip(score[items], 0.0, 1.0), request, items),
    )


def _genre_rows(request: RowRequest, fresh: BoolArray) -> Iterator[RowCandidate]:
    """The favourite genres, or the largest ones for somebody without taste."""
    catalogue, signals = request.catalogue, request.profile.signals
    drawn: dict[str, float] = {}
    for work, weight in signals.weights.items():
        for genre_id, _ in catalogue.records[work].genres:
            drawn[genre_id] = drawn.get(genre_id, 0.0) + weight
    ranked: list[tuple[float, str]] = []
    for genre_id, genre in catalogue.genres_by_id.items():
        count = int(fresh[genre.members].sum())
        if count >= MIN_GENRE_SIZE:
            # What half of the catalogue is says little about anybody: a genre's pull is against its size.
            rarity = float(np.log1p(len(catalogue.by_popularity) / len(genre.members)))
            if request.profile.has_taste:
                pull = drawn.get(genre_id, 0.0) * rarity
            else:
                best = genre.members[fresh[genre.members]][:GENRE_SAMPLE]
                pull = float(catalogue.popularity[best].sum()) * rarity
            if pull > 0:
                ranked.append((-pull, genre_id))
    mixed = (1 - GENRE_POPULARITY_SHARE) * request.profile.scores + GENRE_POPULARITY_SHARE * catalogue.popularity
    row_count = FAVOURITE_GENRE_ROWS if request.profile.has_taste else GENRE_ROWS
    for _, genre_id in sorted(ranked)[:row_count]:
        genre = catalogue.genres_by_id[genre_id]
        members = np.zeros(len(catalogue), np.bool_)
        members[genre.members] = True
        items = _best(mixed, fresh & members)
        watched = sum(
            1 for work in signals.watched_at_s if any(known == genre_id for known, _ in catalogue.records[work].genres)
        )
        yield RowCandidate(
            key=f"genre-{genre_id}",
            kind=SectionKind.GENRE,
            heading=genre.name,
            reason=Reason(f"You often watch {genre.name}") if watched >= 2 else None,
            items=items,
            relevance=_relevance(request, items),
        )


def _my_list(request: RowRequest) -> RowCandidate | None:
    listed = [work for work in request.profile.signals.listed if request.allowed[work]]
    return _own_row("my-list", SectionKind.MY_LIST, "My List", listed)


def _watch_again(request: RowRequest) -> RowCandidate | None:
    signals = request.profile.signals
    works = [
        work
        for work in sorted(signals.seen, key=lambda work: (-signals.watched_at_s.get(work, 0.0), work))
        if request.allowed[work] and work not in signals.refused and work not in signals.started
    ]
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
