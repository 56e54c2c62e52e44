"""The catalogue as columns: built once per change, read by every page.

Everything that does not depend on the viewer is computed here: orders, genre lists, the classes of titles that the
policy treats alike. What a viewer may see is one look-up per class and one take over the column, not one decision per
title; the mask stays valid between two instants at which any window opens or closes, so that it can be kept and is
still exact.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from common.tokens import Viewer
from subgraphs.kernel.policy import EVERYWHERE, TitleFacts, decide
from subgraphs.recommendations.domain.artwork_looks import ArtworkTable, build_artwork_table
from subgraphs.recommendations.domain.titles import TitleKind, TitleRecord
from subgraphs.recommendations.domain.topics import TopicTable, build_topic_table

__all__ = ["BoolArray", "Catalogue", "FloatArray", "Genre", "IndexArray", "build_catalogue"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int32]

ValueT = TypeVar("ValueT")

NOTHING = -1
"""In an index column: no such title."""
MASKS_KEPT = 256
"""Visibility masks in memory: one per country, limit and kind of profile that is around."""
LEAVING_KEPT = 64
"""Lists of titles that close soon: one per country, until the next one joins them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Genre:
    """`members` are its movies and series, most popular first, as `take` wants them, and `popularity` is theirs.

    `rarity`: what half of the catalogue is says little about anybody, so a genre's pull counts against its size.
    """

    id: str
    name: str
    members: npt.NDArray[np.intp]
    popularity: FloatArray
    rarity: float


@dataclass(frozen=True)
class Catalogue:
    """Columns over `records`, one place per title.

    `added_at_s` is Unix time. `works` is the title itself, or the series of an episode: what a viewer thinks of as one
    thing. `topics` are the genres and the type of each, for variety; `topic_table` is the same as numbers.
    """

    version: int
    records: tuple[TitleRecord, ...]
    index_by_id: Mapping[str, int]
    is_listable: BoolArray
    is_movie: BoolArray
    is_kids: BoolArray
    is_playable: BoolArray
    popularity: FloatArray
    works: IndexArray
    next_episodes: IndexArray
    by_popularity: IndexArray
    by_newest: IndexArray
    added_at_s: npt.NDArray[np.float64]
    genres_by_id: Mapping[str, Genre]
    topics: tuple[tuple[str, ...], ...]
    topic_table: TopicTable
    policy_classes: IndexArray
    policy_facts: tuple[TitleFacts, ...]
    window_edges: npt.NDArray[np.int64]
    artwork: ArtworkTable
    _closings: OrderedDict[tuple[object, ...], npt.NDArray[np.float64]] = field(
        default_factory=OrderedDict, repr=False, compare=False
    )
    _leaving: OrderedDict[bytes, IndexArray] = field(default_factory=OrderedDict, repr=False, compare=False)
    _masks: OrderedDict[tuple[object, ...], BoolArray] = field(default_factory=OrderedDict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Of all titles, by place."""
        return tuple(self.index_by_id)

    def visible(self, viewer: Viewer, now: datetime) -> BoolArray:
        """Which titles this viewer may see now, as the policy decides; don't write into it."""
        key = self.visibility_key(viewer, now)
        mask = self._masks.get(key)
        if mask is None:
            may_see = np.fromiter(
                (decide(viewer, facts, now).may_see for facts in self.policy_facts), np.bool_, len(self.policy_facts)
            )
            mask = may_see[self.policy_classes] if len(self.records) else np.zeros(0, np.bool_)
            self._masks[key] = mask
            if len(self._masks) > MASKS_KEPT:
                self._masks.popitem(last=False)
        return mask

    def visibility_key(self, viewer: Viewer, now: datetime) -> tuple[object, ...]:
        """Equal for two viewers and instants exactly when the same titles of this catalogue are visible by rule."""
        edge = int(np.searchsorted(self.window_edges, (now - _EPOCH) // _MICROSECOND, side="right"))
        return (edge, viewer.country, viewer.maturity, viewer.is_kids, viewer.profile_id is None)

    def leaving(self, country: str | None, now: datetime, within: timedelta) -> IndexArray:
        """Titles that are open in the country now, close there within this time and don't stay open, by their places.

        Don't write into it.
        """
        key = (int(np.searchsorted(self.window_edges, (now - _EPOCH) // _MICROSECOND, side="right")), country)
        closings = self._closings.get(key)
        if closings is None:
            closings = self._closings[key] = np.array(
                [_closes_at_s(facts, country, now) for facts in self.policy_facts], np.float64
            )
            if len(self._closings) > MASKS_KEPT:
                self._closings.popitem(last=False)
        is_leaving = closings <= (now + within).timestamp()
        classes = is_leaving.tobytes()
        places = self._leaving.get(classes)
        if places is None:
            places = self._leaving[classes] = np.flatnonzero(is_leaving[self.policy_classes]).astype(np.int32)
            if len(self._leaving) > LEAVING_KEPT:
                self._leaving.popitem(last=False)
        return places

    def index(self, title_id: str) -> int | None:
        """The title's place; None when it is unknown."""
        return self.index_by_id.get(title_id)

    def work(self, title_id: str) -> int | None:
        """The place of the title, or of the series of an episode; None when it is unknown."""
        index = self.index_by_id.get(title_id)
        return None if index is None else int(self.works[index])

    def by_place(self, by_id: Mapping[str, ValueT]) -> dict[int, ValueT]:
        """What is said of titles, by their places instead of their ids, in the same order; without unknown ones."""
        index = self.index_by_id.get
        return {place: value for title_id, value in by_id.items() if (place := index(title_id)) is not None}


def build_catalogue(records: Sequence[TitleRecord], version: int) -> Catalogue:
    """Columns over the records, in the order of their ids, so that the same titles always give the same arrays."""
    ordered = tuple(sorted(records, key=lambda record: record.id))
    index_by_id = {record.id: index for index, record in enumerate(ordered)}
    size = len(ordered)
    topics = _topics(ordered)
    is_listable = _bools((record.kind in {TitleKind.MOVIE, TitleKind.SERIES} for record in ordered), size)
    popularity = np.fromiter((record.popularity for record in ordered), np.float32, size)
    classes: dict[TitleFacts, int] = {}
    policy_classes = np.fromiter((classes.setdefault(record.facts, len(classes)) for record in ordered), np.int32, size)
    listable = np.flatnonzero(is_listable).astype(np.int32)
    by_popularity = listable[np.lexsort((listable, -popularity[listable]))]
    return Catalogue(
        version=version,
        records=ordered,
        index_by_id=index_by_id,
        is_listable=is_listable,
        is_movie=_bools((record.kind is TitleKind.MOVIE for record in ordered), size),
        is_kids=_bools((record.facts.is_kids for record in ordered), size),
        is_playable=_bools((record.is_playable for record in ordered), size),
        popularity=popularity,
        works=_works(ordered, index_by_id),
        next_episodes=np.fromiter(
            (index_by_id.get(record.next_episode_id or "", NOTHING) for record in ordered), np.int32, size
        ),
        by_popularity=by_popularity,
        by_newest=_by_newest(ordered, listable, popularity),
        added_at_s=np.fromiter((record.added_at.timestamp() for record in ordered), np.float64, size),
        genres_by_id=_genres(ordered, by_popularity, popularity),
        topics=topics,
        topic_table=build_topic_table(topics),
        policy_classes=policy_classes,
        policy_facts=tuple(classes),
        window_edges=_window_edges(classes),
        artwork=build_artwork_table([(record.id, record.artwork) for record in ordered]),
    )


def _bools(values: object, size: int) -> BoolArray:
    return np.fromiter(values, np.bool_, size)  # type: ignore[call-overload,no-any-return]  # any iterable of bools


def _works(records: Sequence[TitleRecord], index_by_id: Mapping[str, int]) -> IndexArray:
    return np.fromiter(
        (
            index_by_id.get(record.series_id, index) if record.series_id is not None else index
            for index, record in enumerate(records)
        ),
        np.int32,
        len(records),
    )


def _by_newest(records: Sequence[TitleRecord], listable: IndexArray, popularity: FloatArray) -> IndexArray:
    """Last added first; of those added together the latest released, then the most popular."""
    added = np.fromiter((records[index].added_at.timestamp() for index in listable), np.float64, len(listable))
    years = np.fromiter((records[index].release_year or 0 for index in listable), np.int32, len(listable))
    return listable[np.lexsort((listable, -popularity[listable], -years, -added))]


def _genres(records: Sequence[TitleRecord], by_popularity: IndexArray, popularity: FloatArray) -> Mapping[str, Genre]:
    names: dict[str, str] = {}
    members: dict[str, list[int]] = {}
    for index in by_popularity.tolist():
        for genre_id, name in records[index].genres:
            names.setdefault(genre_id, name)
            members.setdefault(genre_id, []).append(index)
    places = {genre_id: np.array(members[genre_id], np.intp) for genre_id in sorted(names)}
    return {
        genre_id: Genre(genre_id, names[genre_id], each, popularity[each], math.log1p(len(by_popularity) / len(each)))
        for genre_id, each in places.items()
    }


def _topics(records: Sequence[TitleRecord]) -> tuple[tuple[str, ...], ...]:
    """Equal ones are one object: there are few different ones."""
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    found = ((*(genre_id for genre_id, _ in record.genres), record.kind.value) for record in records)
    return tuple(known.setdefault(topics, topics) for topics in found)


def _closes_at_s(facts: TitleFacts, country: str | None, now: datetime) -> float:
    """Unix time at which the last of a chain of windows without gaps ends; infinity when it never does or none is open.

    The same between two edges of any windows, so that it can be kept for as long.
    """
    windows = [window for window in facts.windows if window.country in {EVERYWHERE, country}]
    end: datetime | None = None
    for _ in windows:
        at = end or now
        ends = [window.closes_at for window in windows if window.is_open(at)]
        if not ends:
            break
        open_ends = [each for each in ends if each is not None]
        if len(open_ends) < len(ends):
            return math.inf
        end = max(open_ends)
    return math.inf if end is None else end.timestamp()


def _window_edges(classes: Mapping[TitleFacts, int]) -> npt.NDArray[np.int64]:
    """Every instant, in microseconds, at which some window opens or closes, in order."""
    edges = {
        (instant - _EPOCH) // _MICROSECOND
        for facts in classes
        for window in facts.windows
        for instant in (window.opens_at, window.closes_at)
        if instant is not None
    }
    return np.array(sorted(edges), np.int64)
