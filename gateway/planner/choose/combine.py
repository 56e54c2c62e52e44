"""Exact search for the cheapest consistent set of options, within a budget.

Problem: variables are *demands* (a field that some graph node must provide) and *entries* (a request that must be
started to be at a graph node). Every option has a cost and needs further variables: providing a field needs the
entry it is provided through, an entry needs the fields of its key and requirements. All variables that are needed
must be given an option; entries must not lean on each other in a circle; entries of one group (subgraph) that do not
lean on each other share one request.

Idea: depth-first branch and bound. Variables with one option, and those where a cheapest option needs nothing new,
are settled without branching; of the others the one with the fewest options is branched on first.
Bound: what is settled + the cheapest option of everything still open + one request for each group entered so far + one
more for each open demand of a set in which no two could be settled by starting the same new group. Shared entries are
counted once.
It never exceeds the true cost of any completion (tests/properties/gateway_combine_test.py, against brute force).

Limits: a demand that is settled without branching may turn out to be one that an entry leans on, and another option
would have let that entry start earlier. When that leaves no solution at all, the search is repeated without settling
early; otherwise it can cost DEPTH_COST or, rarely, a request. `states` counts calls of the branching step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from gateway.planner.choose.cost import DEPTH_COST, REQUEST_COST

__all__ = ["Budget", "Combination", "Option", "Problem", "VariableKey", "combine", "true_cost"]

VariableKey: TypeAlias = Hashable


@dataclass(frozen=True, slots=True)
class Option:
    """One way to settle a variable: its own cost, the variables that it needs, and what it stands for (`meaning`)."""

    cost: int
    needs: tuple[VariableKey, ...]
    meaning: object = None
    free: bool = False
    """Whether settling by it can neither start a request nor lean on one."""


class Problem(Protocol):
    """What the search asks of a problem. Answers must not change during a search."""

    def options(self, key: VariableKey) -> Sequence[Option]:
        """All ways to settle a variable, best guess first; none: it can't be."""

    def group(self, key: VariableKey) -> str | None:
        """For an entry the group that its request goes to; None for a demand."""

    def may_share(self, one: VariableKey, other: VariableKey) -> bool:
        """Whether two entries of one group can be one request if they do not lean on each other."""


@dataclass(slots=True)
class Budget:
    """States that all searches of one plan may look at together, and each one by itself; `spent` only grows.

    The second limit keeps one hard position from leaving nothing for all the others.
    """

    limit: int
    limit_per_search: int
    spent: int = 0
    reached: bool = False

    def spend(self, spent_by_search: int) -> bool:
        """Count a state; whether it was within the budget of the plan and of the search."""
        self.spent += 1
        if self.spent > self.limit or spent_by_search > self.limit_per_search:
            self.reached = True
            return False
        return True


@dataclass(frozen=True, slots=True)
class Combination:
    """A consistent choice: the option of every needed variable; the requests as entries, in a possible order."""

    cost: int
    options: Mapping[VariableKey, Option]
    requests: tuple[tuple[VariableKey, ...], ...]


def combine(problem: Problem, wanted: Iterable[VariableKey], budget: Budget) -> Combination | None:
    """The cheapest combination that settles `wanted`; None when there is none.

    When the budget ends the search, the best found until then; at least one descent is always completed.
    """
    keys = list(dict.fromkeys(wanted))
    found = _Search(problem, budget, settle_early=True).run(keys)
    if found is None:
        found = _Search(problem, budget, settle_early=False).run(keys)
    return found


def true_cost(problem: Problem, options: Mapping[VariableKey, Option]) -> Combination | None:
    """The exact cost of a complete assignment with its requests; None when entries lean on each other in a circle."""
    entries = [key for key in options if problem.group(key) is not None]
    if not entries:
        return Combination(sum(option.cost for option in options.values()), options, ())
    leans_on = {entry: _entries_below(problem, options, entry) for entry in entries}
    order = _topological(entries, leans_on)
    if order is None:
        return None
    requests = _share_requests(problem, order, leans_on)
    depths = _depths(requests, leans_on)
    cost = sum(option.cost for option in options.values())
    cost += REQUEST_COST * len(requests) + DEPTH_COST * sum(depth - 1 for depth in depths)
    ordered = sorted(range(len(requests)), key=lambda i: depths[i])
    return Combination(cost, options, tuple(tuple(requests[i]) for i in ordered))


class _Search:
    def __init__(self, problem: Problem, budget: Budget, *, settle_early: bool) -> None:
        self.problem = problem
        self.budget = budget
        self.settle_early = settle_early
        self.best: Combination | None = None
        self.states = 0
        self.stopped = False
        self.leaned_on: set[VariableKey] = set()
        self.least_known: dict[VariableKey, int] = {}

    def run(self, wanted: list[VariableKey]) -> Combination | None:
        self.descend({}, dict.fromkeys(wanted), set(), 0)
        return self.best

    def descend(
        self,
        settled: dict[VariableKey, Option],
        open_: dict[VariableKey, None],
        groups: set[str],
        cost: int,
    ) -> None:
        """Settle what needs no choice, then branch. Takes ownership of its arguments. `cost` is of options only."""
        self.states += 1
        if not self.budget.spend(self.states) and self.best is not None:
            self.stopped = True
            return
        if self.is_hopeless(open_, groups, cost):
            return
        more = self.settle_without_choice(settled, open_, groups)
        if more is None or self.is_hopeless(open_, groups, cost + more):
            return
        cost += more
        if not open_:
            found = true_cost(self.problem, settled)
            if found is not None and (self.best is None or found.cost < self.best.cost):
                self.best = found
            return
        key = min(open_, key=lambda k: len(self.problem.options(k)))
        useful = self.useful_groups(open_, groups)
        for option in sorted(self.problem.options(key), key=lambda o: self.guess(o, groups, useful)):
            next_settled, next_open, next_groups = dict(settled), dict(open_), set(groups)
            own = self.settle(key, option, next_settled, next_open, next_groups)
            self.descend(next_settled, next_open, next_groups, cost + own)
            if self.stopped:
                return

    def settle(
        self,
        key: VariableKey,
        option: Option,
        settled: dict[VariableKey, Option],
        open_: dict[VariableKey, None],
        groups: set[str],
    ) -> int:
        settled[key] = option
        del open_[key]
        group = self.problem.group(key)
        if group is not None:
            groups.add(group)
            self.leaned_on.update(option.needs)
        for need in option.needs:
            if need not in settled:
                open_[need] = None
        return option.cost

    def settle_without_choice(
        self, settled: dict[VariableKey, Option], open_: dict[VariableKey, None], groups: set[str]
    ) -> int | None:
        """Settle all that needs no branching, single options first; the options' cost, None at a dead end."""
        cost = 0
        passes = (self.only_option, self.free_option) if self.settle_early else (self.only_option,)
        changed = True
        while changed:
            changed = False
            for choose in passes:
                for key in list(open_):
                    if not self.problem.options(key):
                        return None
                    option = choose(key, settled, open_)
                    if option is not None:
                        cost += self.settle(key, option, settled, open_, groups)
                        changed = True
                if changed:
                    break
        return cost

    def only_option(
        self, key: VariableKey, _settled: Mapping[VariableKey, Option], _open: Mapping[VariableKey, None]
    ) -> Option | None:
        options = self.problem.options(key)
        return options[0] if len(options) == 1 else None

    def free_option(
        self, key: VariableKey, settled: Mapping[VariableKey, Option], open_: Mapping[VariableKey, None]
    ) -> Option | None:
        """A cheapest option that needs nothing that is not needed anyway."""
        least = self.least(key)
        leans = key in self.leaned_on or self.problem.group(key) is not None
        for option in self.problem.options(key):
            if option.cost > least:
                continue
            # where something leans, what an option needs decides what a request has to wait for: that is a choice
            nothing_new = not option.needs if leans else all(n in settled or n in open_ for n in option.needs)
            if option.free or nothing_new:
                return option
        return None

    def least(self, key: VariableKey) -> int:
        """The cost of a variable's cheapest option."""
        known = self.least_known.get(key)
        if known is None:
            known = self.least_known[key] = min((option.cost for option in self.problem.options(key)), default=0)
        return known

    def is_hopeless(self, open_: Mapping[VariableKey, None], groups: set[str], cost: int) -> bool:
        """Whether no completion can be cheaper than the best found."""
        return self.best is not None and self.bound(open_, groups, cost) >= self.best.cost

    def bound(self, open_: Mapping[VariableKey, None], groups: set[str], cost: int) -> int:
        entered = set(groups)
        for key in open_:
            group = self.problem.group(key)
            if group is not None:
                entered.add(group)
        new_groups: list[set[str]] = []
        for key in open_:
            options = self.problem.options(key)
            cost += self.least(key)
            if self.problem.group(key) is None:
                wanted = self.groups_one_of_which_is_new(options, entered)
                if wanted:
                    new_groups.append(wanted)
        return cost + REQUEST_COST * (len(entered) + _count_disjoint(new_groups))

    def groups_one_of_which_is_new(self, options: Sequence[Option], entered: set[str]) -> set[str]:
        """The groups that settling by any of the options may start; empty when some option starts none."""
        found: set[str] = set()
        for option in options:
            new = {group for need in option.needs if (group := self.problem.group(need)) and group not in entered}
            if not new:
                return set()
            found |= new
        return found

    def useful_groups(self, open_: Mapping[VariableKey, None], groups: set[str]) -> Counter[str]:
        """For each group not entered how many open demands could be settled by entering it."""
        count: Counter[str] = Counter()
        for key in open_:
            if self.problem.group(key) is None:
                count.update(self.groups_one_of_which_is_new(self.problem.options(key), groups))
        return count

    def guess(self, option: Option, groups: set[str], useful: Counter[str]) -> float:
        """What an option will cost in the end, as far as can be seen: a request is shared by all that it could serve.

        Only decides what is tried first.
        """
        new = {group for need in option.needs if (group := self.problem.group(need)) and group not in groups}
        return option.cost + sum(REQUEST_COST / max(1, useful[group]) for group in new)


def _count_disjoint(sets: list[set[str]]) -> int:
    """How many sets a greedy choice, smallest first, finds that have no element in common."""
    count = 0
    taken: set[str] = set()
    for candidate in sorted(sets, key=lambda each: (len(each), sorted(each))):
        if taken.isdisjoint(candidate):
            taken |= candidate
            count += 1
    return count


def _entries_below(
    problem: Problem, options: Mapping[VariableKey, Option], entry: VariableKey
) -> frozenset[VariableKey]:
    """The entries that must be answered before this one can be sent, found through the demands that it needs."""
    found: set[VariableKey] = set()
    seen: set[VariableKey] = set()
    stack = list(options[entry].needs)
    while stack:
        key = stack.pop()
        if key in seen:
            continue
        seen.add(key)
        if problem.group(key) is not None:
            found.add(key)
        else:
            stack.extend(options[key].needs)
    return frozenset(found)


def _topological(
    entries: Sequence[VariableKey], leans_on: Mapping[VariableKey, frozenset[VariableKey]]
) -> list[VariableKey] | None:
    order: list[VariableKey] = []
    done: set[VariableKey] = set()
    waiting = list(entries)
    while waiting:
        ready = [entry for entry in waiting if leans_on[entry] <= done]
        if not ready:
            return None
        order.extend(ready)
        done.update(ready)
        waiting = [entry for entry in waiting if entry not in done]
    return order


def _share_requests(
    problem: Problem, order: Sequence[VariableKey], leans_on: Mapping[VariableKey, frozenset[VariableKey]]
) -> list[list[VariableKey]]:
    """Entries as requests: each joins the first request of its group that it may share without making a circle."""
    requests: list[list[VariableKey]] = []
    place: dict[VariableKey, int] = {}

    def ancestors(start: Iterable[VariableKey]) -> set[int]:
        found: set[int] = set()
        stack = [place[key] for entry in start for key in leans_on[entry] if key in place]
        while stack:
            index = stack.pop()
            if index not in found:
                found.add(index)
                stack.extend(place[key] for entry in requests[index] for key in leans_on[entry] if key in place)
        return found

    for entry in order:
        above = ancestors([entry])
        for index, request in enumerate(requests):
            if (
                index not in above
                and problem.group(request[0]) == problem.group(entry)
                and not any(index in ancestors(requests[i]) for i in above)
                and all(problem.may_share(entry, member) for member in request)
            ):
                request.append(entry)
                place[entry] = index
                break
        else:
            place[entry] = len(requests)
            requests.append([entry])
    return requests


def _depths(
    requests: Sequence[Sequence[VariableKey]], leans_on: Mapping[VariableKey, frozenset[VariableKey]]
) -> list[int]:
    place = {entry: index for index, request in enumerate(requests) for entry in request}
    known: dict[int, int] = {}

    def depth(index: int) -> int:
        if index not in known:
            above = {place[key] for entry in requests[index] for key in leans_on[entry]}
            known[index] = 1 + max((depth(i) for i in above), default=0)
        return known[index]

    return [depth(index) for index in range(len(requests))]
