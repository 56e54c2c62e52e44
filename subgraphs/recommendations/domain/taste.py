"""What a profile has shown of its taste: watching, ratings, list, feedback; and what follows for titles.

A title's weight says how much the profile is drawn to it: finishing counts most, leaving early counts against it,
stars and thumbs speak for themselves, and all of it fades with time. Episodes speak for their series.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from subgraphs.recommendations.domain.catalogue import NOTHING, Catalogue

__all__ = ["Feedback", "HistoryMark", "Opinion", "Signals", "Taste", "Watched", "read_likes", "read_signals"]

HALF_LIFE_S = 60 * 24 * 3600.0
"""After two months a title says half as much about what somebody likes today."""
ABANDONED_RATIO = 0.1
ABANDONED_AFTER_S = 24 * 3600.0
"""Left in the first tenth and not taken up again for a day."""
LIKED_RATIO = 0.5
"""Who watched half of a title liked it enough to learn from."""
STARTED_S = 30.0
STARTED_RATIO = 0.02


class Feedback(StrEnum):
    """What a viewer said of a title without stars."""

    THUMBS_UP = "THUMBS_UP"
    THUMBS_DOWN = "THUMBS_DOWN"
    NOT_INTERESTED = "NOT_INTERESTED"


class HistoryMark(StrEnum):
    """What a profile took a title out of."""

    HIDDEN = "HIDDEN"
    """Its history: the title counts for nothing any more."""
    DISMISSED = "DISMISSED"
    """Continue watching."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Where the profile is in a title; `at_s` is Unix time. `ever_completed` stays when the title is begun again."""

    position_s: float
    duration_s: float
    completed: bool
    ever_completed: bool
    at_s: float

    @property
    def fraction(self) -> float:
        """0 to 1."""
        return min(1.0, self.position_s / self.duration_s) if self.duration_s > 0 else 0.0

    @property
    def is_started(self) -> bool:
        """Whether enough was watched to offer to go on."""
        return self.position_s >= min(STARTED_S, STARTED_RATIO * self.duration_s)


@dataclass(frozen=True, slots=True)
class Opinion:
    """`stars` 1 to 5 or None, a thumb or None, and when the title was put on the list, or None."""

    stars: int | None = None
    feedback: Feedback | None = None
    listed_at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Taste:
    """Everything known of one profile, by title id; `version` rises with every change. `country` may be unknown.

    `watched` lacks what the profile took out of its history. `dismissed`: taken out of continue watching alone.
    `is_personal`: whether its account allows personalisation. Where it does not, nothing is learned from the profile,
    and nothing but what it asked for itself (going on, its list, what it refused) shapes its pages.
    """

    version: int = 0
    watched: Mapping[str, Watched] = field(default_factory=dict)
    opinions: Mapping[str, Opinion] = field(default_factory=dict)
    dismissed: frozenset[str] = frozenset()
    country: str | None = None
    is_personal: bool = True


@dataclass(frozen=True, slots=True)
class Signals:
    """A taste in terms of one catalogue; keys are indices of works.

    `weights`: how much the profile is drawn to what it knows. `watched_at_s`: when it last watched it. `seen`:
    finished. `started`: begun and not finished. `refused`: not to be shown. `continued`: (title to go on with, work)
    most recent first.
    """

    weights: Mapping[int, float]
    watched_at_s: Mapping[int, float]
    liked: frozenset[int]
    seen: frozenset[int]
    started: frozenset[int]
    refused: frozenset[int]
    listed: tuple[int, ...]
    continued: tuple[tuple[int, int], ...]


def read_signals(taste: Taste, catalogue: Catalogue, now_s: float) -> Signals:
    """What the taste says about this catalogue's titles; unknown titles are left out."""
    weights: dict[int, float] = {}
    watched_at: dict[int, float] = {}
    seen_titles = {title_id for title_id, watched in taste.watched.items() if watched.ever_completed}
    for title_id, watched in taste.watched.items():
        work = catalogue.work(title_id)
        if work is None:
            continue
        # An episode is one of many: the series' weight is that of its best episode, not their sum.
        weights[work] = max(weights.get(work, -1.0), _watching_weight(watched, now_s))
        watched_at[work] = max(watched_at.get(work, 0.0), watched.at_s)
    liked, refused, listed = _read_opinions(taste, catalogue, weights)
    continued, seen, started = _read_progress(taste, catalogue, seen_titles)
    return Signals(
        weights=weights if taste.is_personal else {},
        watched_at_s=watched_at if taste.is_personal else {},
        liked=frozenset(liked if taste.is_personal else ()),
        seen=frozenset(seen),
        started=frozenset(started),
        refused=frozenset(refused),
        listed=tuple(listed),
        continued=tuple(continued),
    )


def read_likes(taste: Taste, catalogue: Catalogue) -> Mapping[int, float]:
    """Works that the profile liked, with the Unix time at which it last said so; none when it is not personal.

    For learning what people like together: unlike a weight, a like does not fade.
    """
    if not taste.is_personal:
        return {}
    likes: dict[int, float] = {}
    refused: set[int] = set()
    latest_s = max((watched.at_s for watched in taste.watched.values()), default=0.0)
    for title_id, watched in taste.watched.items():
        work = catalogue.work(title_id)
        if work is not None and (watched.ever_completed or watched.fraction >= LIKED_RATIO):
            likes[work] = max(likes.get(work, 0.0), watched.at_s)
    for title_id, opinion in taste.opinions.items():
        work = catalogue.work(title_id)
        if work is None:
            continue
        if opinion.feedback in {Feedback.THUMBS_DOWN, Feedback.NOT_INTERESTED} or (opinion.stars or 3) <= 2:
            refused.add(work)
        elif opinion.feedback is Feedback.THUMBS_UP or (opinion.stars or 3) >= 4 or opinion.listed_at_s is not None:
            # When stars and thumbs were given is not kept; they are as old as what the profile did last.
            likes[work] = max(likes.get(work, 0.0), opinion.listed_at_s or latest_s)
    return {work: at_s for work, at_s in likes.items() if work not in refused}


def _watching_weight(watched: Watched, now_s: float) -> float:
    age_s = max(0.0, now_s - watched.at_s)
    fade = math.exp2(-age_s / HALF_LIFE_S)
    if watched.ever_completed:
        return fade
    if watched.fraction < ABANDONED_RATIO and age_s > ABANDONED_AFTER_S:
        return -0.2 * fade
    return (0.3 + 0.6 * watched.fraction) * fade


def _read_opinions(
    taste: Taste, catalogue: Catalogue, weights: dict[int, float]
) -> tuple[set[int], set[int], list[int]]:
    """Adds what was said to the weights; returns liked and refused works and the list, newest first."""
    liked: set[int] = set()
    refused: set[int] = set()
    listed: list[tuple[float, int]] = []
    for title_id, opinion in taste.opinions.items():
        work = catalogue.work(title_id)
        if work is None:
            continue
        said = 0.0
        if opinion.stars is not None:
            said += (opinion.stars - 3) * 0.6
            if opinion.stars >= 4:
                liked.add(work)
        if opinion.feedback is Feedback.THUMBS_UP:
            said += 1.0
            liked.add(work)
        elif opinion.feedback is Feedback.THUMBS_DOWN:
            said -= 1.0
            refused.add(work)
        elif opinion.feedback is Feedback.NOT_INTERESTED:
            said -= 0.5
            refused.add(work)
        if opinion.listed_at_s is not None:
            said += 0.4
            listed.append((-opinion.listed_at_s, work))
        if said:
            weights[work] = weights.get(work, 0.0) + said
    return liked, refused, list(dict.fromkeys(work for _, work in sorted(listed)))


def _read_progress(
    taste: Taste, catalogue: Catalogue, seen_titles: set[str]
) -> tuple[list[tuple[int, int]], set[int], set[int]]:
    """What to go on with, most recent first, and which works are finished or begun."""
    continued: list[tuple[int, int]] = []
    seen: set[int] = set()
    started: set[int] = set()
    done: set[int] = set()
    recent = sorted(taste.watched.items(), key=lambda item: (-item[1].at_s, item[0]))
    for title_id, watched in recent:
        index = catalogue.index(title_id)
        if index is None:
            continue
        work = int(catalogue.works[index])
        if work in done or not (watched.completed or watched.is_started):
            continue
        done.add(work)
        resume = _resume_index(catalogue, index, watched, seen_titles)
        if resume is None:
            seen.add(work)
        else:
            started.add(work)
            if title_id not in taste.dismissed:
                continued.append((resume, work))
        if work == index and watched.ever_completed:
            seen.add(work)
    return continued, seen, started


def _resume_index(catalogue: Catalogue, index: int, watched: Watched, seen_titles: set[str]) -> int | None:
    """The title to go on with: itself, or the first episode after it that was not seen, else the very next one."""
    if not watched.completed:
        return index
    following: list[int] = []
    current = int(catalogue.next_episodes[index])
    while current != NOTHING and len(following) < len(catalogue):
        following.append(current)
        current = int(catalogue.next_episodes[current])
    unseen = (place for place in following if catalogue.records[place].id not in seen_titles)
    return next(unseen, following[0] if following else None)
