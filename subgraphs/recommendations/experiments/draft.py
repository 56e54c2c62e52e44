"""Team-draft interleaving: one row of two rankers, in which each card belongs to who put it there.

The problem: two rankers are compared by what people open, but people differ far more than rankers do, so that an A/B
test needs very many of them. The idea (Radlinski, Kurup, Joachims: How does clickthrough data reflect retrieval
quality?, 2008): every profile sees both at once. As two captains choose teams, the rankers take turns; who begins each
round is a coin's decision; each takes its best title that is not taken. What is opened is a point for its team, and
everything about the profile is the same on both sides.

Invariants, held by property tests: no title twice; each team's titles stand in its ranker's order; after each round
both teams have the same number; each begins half of the rounds; two equal rankers get equally many points. Known limit:
it compares orders of one row, and says nothing about what people do afterwards: that is the A/B test's task.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["NO_TEAM", "Draft", "team_draft"]

NO_TEAM = -1
"""Of titles behind the end of the other ranker's list: nobody chose between them and another."""


@dataclass(frozen=True, slots=True)
class Draft:
    """`teams[i]` is 0, 1 or NO_TEAM for `items[i]`."""

    items: tuple[int, ...]
    teams: tuple[int, ...]


def team_draft(first: Sequence[int], second: Sequence[int], length: int, seed: int) -> Draft:
    """At most `length` titles of two lists without repetitions, best first; the same seed gives the same draft."""
    coin = random.Random(seed)
    rankings = (first, second)
    places = [0, 0]
    items: list[int] = []
    teams: list[int] = []
    taken: set[int] = set()
    while len(items) < length:
        begins = coin.getrandbits(1)
        for team in (begins, 1 - begins):
            ranking = rankings[team]
            while places[team] < len(ranking) and ranking[places[team]] in taken:
                places[team] += 1
            if places[team] == len(ranking):
                return _filled_up(items, teams, rankings[1 - team], taken, length)
            if len(items) < length:
                item = ranking[places[team]]
                taken.add(item)
                items.append(item)
                teams.append(team)
    return Draft(tuple(items), tuple(teams))


def _filled_up(items: list[int], teams: list[int], rest: Sequence[int], taken: set[int], length: int) -> Draft:
    more = [item for item in rest if item not in taken][: length - len(items)]
    return Draft((*items, *more), (*teams, *(NO_TEAM for _ in more)))
