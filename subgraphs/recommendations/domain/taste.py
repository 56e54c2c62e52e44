"""What a profile has shown of its taste: watching, ratings, list, feedback; and what follows for titles.

A title's weight says how much the profile is drawn to it: finishing counts most, what was left early or disliked counts
nothing, stars and thumbs speak for themselves, and all of it fades with time. Episodes speak for their series.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from subgraphs.recommendations.domain.catalogue import NOTHING, Catalogue

__all__ = ["Feedback", "HistoryMark", "Opinion", "Signals", "Taste", "Watched", "read_likes", "read_signals"]

HALF_LIFE_S = 60 * 24 * 3600.0
"""After two months a title says half as much about what somebody likes today."""
FADE_STEP_S = 3600.0
"""Weights fade by whole hours, a two-thousandth each: within one, the same taste has the same weights and scores."""
ABANDONED_RATIO = 0.1
ABANDONED_AFTER_S = 24 * 3600.0
"""Left in the first tenth and not taken up again for a day: it says nothing of what the profile likes, until somebody
goes on with it. Not less than nothing: on real ratings weights below zero make rankings worse (docs/evaluation.md).
"""
LIKED_RATIO = 0.5
"""Who watched half of a title liked it enough to learn from."""
DISLIKED_STARS = 2
STARTED_S = 30.0
STARTED_RATIO = 0.02
PICK_WEIGHT = 0.35
"""Of a title picked when the profile was new, against 1 for a finished film: ten picks speak alone at first, and four
finished films say more than all of them.
"""


SOUGHT_WEIGHT = 0.2
"""Of a title that was opened from a search and not begun, against 1 for a finished film: half of what a title on the
list says. Set by judgement; it never speaks alone.
"""


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


class Watched(msgspec.Struct, frozen=True, gc=False):
    """Where the profile is in a title; `at_s` is Unix time. `ever_completed` stays when the title is begun again.

    A Struct, as hundreds of thousands are in memory: smaller than a dataclass, and no work for the garbage collector.
    """

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


class Opinion(msgspec.Struct, frozen=True, gc=False):
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
    `is_measured`: whether its account agreed that what its profiles do is counted.
    `picks`: titles that it named when it was asked, at `picked_at_s` as Unix time; asked and none named is an answer.
    `sought`: when it last opened a title from a search, as Unix time.
    """

    version: int = 0
    watched: Mapping[str, Watched] = field(default_factory=dict)
    opinions: Mapping[str, Opinion] = field(default_factory=dict)
    dismissed: frozenset[str] = frozenset()
    country: str | None = None
    is_personal: bool = True
    is_measured: bool = False
    picks: tuple[str, ...] = ()
    picked_at_s: float | None = None
    sought: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signals:
    """A taste in terms of one catalogue; keys are indices of works.

    `weights`: how much the profile is drawn to what it knows. `watched_at_s`: when it last watched it. `seen`:
    finished. `started`: begun and not finished. `refused`: not to be shown. `continued`: (title to go on with, work)
    most recent first. `picked_at_s`: when it named what nothing else is known about but that it was picked.
    `sought`: of which nothing is known but that they were opened from a search.
    """

    weights: Mapping[int, float]
    watched_at_s: Mapping[int, float]
    liked: frozenset[int]
    seen: frozenset[int]
    started: frozenset[int]
    refused: frozenset[int]
    listed: tuple[int, ...]
    continued: tuple[tuple[int, int], ...]
    picked_at_s: Mapping[int, float] = field(default_factory=dict)
    sought: frozenset[int] = frozenset()


def read_signals(taste: Taste, catalogue: Catalogue, now_s: float) -> Signals:
    """What the taste says about this catalogue's titles; unknown titles are left out."""
    now_s -= now_s % FADE_STEP_S
    weights: dict[int, float] = {}
    watched_at: dict[int, float] = {}
    latest: dict[int, tuple[int, Watched]] = {}
    watched_at_place = catalogue.by_place(taste.watched)
    works = catalogue.works[list(watched_at_place)].tolist()
    for work, (place, watched) in zip(works, watched_at_place.items(), strict=True):
        weight, known = _watching_weight(watched, now_s), weights.get(work)
        if known is None:
            weights[work], watched_at[work] = weight, max(0.0, watched.at_s)
        else:
            # An episode is one of many: the series' weight is that of its best episode, not their sum.
            weights[work], watched_at[work] = max(known, weight), max(watched_at[work], watched.at_s)
        if watched.completed or watched.is_started:
            other = latest.get(work)
            # Places are in the order of ids.
            if other is None or (-watched.at_s, place) < (-other[1].at_s, other[0]):
                latest[work] = (place, watched)
    liked, refused, listed = _read_opinions(taste, catalogue, weights)
    continued, seen, started = _read_progress(taste, catalogue, latest)
    picked_at = _read_picks(taste, catalogue, weights, now_s)
    sought = _read_sought(taste, catalogue, weights, now_s)
    return Signals(
        weights=weights if taste.is_personal else {},
        watched_at_s=watched_at if taste.is_personal else {},
        liked=frozenset(liked if taste.is_personal else ()),
        seen=frozenset(seen),
        started=frozenset(started),
        refused=frozenset(refused),
        listed=tuple(listed),
        continued=tuple(continued),
        picked_at_s=picked_at if taste.is_personal else {},
        sought=frozenset(sought if taste.is_personal else ()),
    )


def read_likes(taste: Taste, catalogue: Catalogue) -> Mapping[int, float]:
    """Works that the profile liked, with the Unix time at which it last said so; none when it is not personal.

    For learning what people like together: unlike a weight, a like does not fade. Picks are left out: they were chosen
    among few titles that everybody is shown, and would teach no more than that list.
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
        if (
            opinion.feedback in {Feedback.THUMBS_DOWN, Feedback.NOT_INTERESTED}
            or (opinion.stars or 3) <= DISLIKED_STARS
        ):
            refused.add(work)
        elif opinion.feedback is Feedback.THUMBS_UP or (opinion.stars or 3) >= 4 or opinion.listed_at_s is not None:
            # When stars and thumbs were given is not kept; they are as old as what the profile did last.
            likes[work] = max(likes.get(work, 0.0), opinion.listed_at_s or latest_s)
    return {work: at_s for work, at_s in likes.items() if work not in refused}


def _watching_weight(watched: Watched, now_s: float) -> float:
    age_s = now_s - watched.at_s
    fade = math.exp2(-age_s / HALF_LIFE_S) if age_s > 0 else 1.0
    if watched.ever_completed:
        return fade
    if watched.fraction < ABANDONED_RATIO and age_s > ABANDONED_AFTER_S:
        return 0.0
    return (0.3 + 0.6 * watched.fraction) * fade


def _read_opinions(
    taste: Taste, catalogue: Catalogue, weights: dict[int, float]
) -> tuple[set[int], set[int], list[int]]:
    """Adds what was said to the weights; returns liked and refused works and the list, newest first.

    A word against a title takes from what watching it says, and no more than that: below nothing it would speak against
    what is like it, and on real ratings people dislike what is near to what they like (docs/evaluation.md). What is
    disliked is kept from pages by being refused.
    """
    liked: set[int] = set()
    refused: set[int] = set()
    said_of: dict[int, float] = {}
    listed: list[tuple[float, int]] = []
    opinions = catalogue.by_place(taste.opinions)
    works = catalogue.works[list(opinions)].tolist()
    for work, (place, opinion) in zip(works, opinions.items(), strict=True):
        said = 0.0
        if opinion.stars is not None:
            said += (opinion.stars - 3) * 0.6
            if opinion.stars >= 4:
                liked.add(work)
            elif opinion.stars <= DISLIKED_STARS and place == work:
                # One bad episode takes nobody's series away.
                refused.add(work)
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
            said_of[work] = said_of.get(work, 0.0) + said
    for work, said in said_of.items():
        weights[work] = max(0.0, weights.get(work, 0.0) + said)
    return liked, refused, list(dict.fromkeys(work for _, work in sorted(listed)))


def _read_picks(taste: Taste, catalogue: Catalogue, weights: dict[int, float], now_s: float) -> dict[int, float]:
    """Adds picks to the weights where the profile has said or done nothing else; returns those with their time."""
    picked: dict[int, float] = {}
    if taste.picked_at_s is None:
        return picked
    weight = PICK_WEIGHT * math.exp2(-max(0.0, now_s - taste.picked_at_s) / HALF_LIFE_S)
    for title_id in taste.picks:
        work = catalogue.work(title_id)
        if work is not None and work not in weights:
            weights[work] = weight
            picked[work] = taste.picked_at_s
    return picked


def _read_sought(taste: Taste, catalogue: Catalogue, weights: dict[int, float], now_s: float) -> set[int]:
    """Adds what was opened from searches to the weights, beside others only; returns works known by nothing else."""
    sought: set[int] = set()
    if not any(weight > 0 for weight in weights.values()):
        return sought
    for title_id, at_s in taste.sought.items():
        work = catalogue.work(title_id)
        if work is not None and (work not in weights or work in sought):
            fade = math.exp2(-max(0.0, now_s - at_s) / HALF_LIFE_S)
            weights[work] = max(weights.get(work, 0.0), SOUGHT_WEIGHT * fade)
            sought.add(work)
    return sought


def _read_progress(
    taste: Taste, catalogue: Catalogue, latest: Mapping[int, tuple[int, Watched]]
) -> tuple[list[tuple[int, int]], set[int], set[int]]:
    """What to go on with, most recent first, and which works are finished or begun.

    `latest`: by work the place of the title of it that was watched last, and how far that was.
    """
    continued: list[tuple[float, int, int, int]] = []
    seen: set[int] = set()
    started: set[int] = set()
    following = catalogue.next_episodes[[place for place, _ in latest.values()]].tolist()
    for behind, (work, (place, watched)) in zip(following, latest.items(), strict=True):
        if watched.completed and behind == NOTHING:
            seen.add(work)
        else:
            started.add(work)
            if catalogue.ids[place] not in taste.dismissed:
                resume = _next_to_watch(taste, catalogue, behind) if watched.completed else place
                continued.append((-watched.at_s, place, resume, work))
        if work == place and watched.ever_completed:
            seen.add(work)
    return [(resume, work) for _, _, resume, work in sorted(continued)], seen, started


def _next_to_watch(taste: Taste, catalogue: Catalogue, following: int) -> int:
    """The first episode from this one on that was not seen, else this one."""
    current = following
    # No further than there are titles: episodes that follow one another in a circle are somebody's mistake.
    for _ in range(len(catalogue)):
        watched = taste.watched.get(catalogue.records[current].id)
        if watched is None or not watched.ever_completed:
            return current
        current = int(catalogue.next_episodes[current])
        if current == NOTHING:
            break
    return following
