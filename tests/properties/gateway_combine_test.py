"""The choosing search against brute force: the cheapest combination is found, and the bound never exceeds a true cost."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.planner.choose.combine import Budget, Option, VariableKey, _Search, combine, true_cost

UNLIMITED = 10**9


class ListedProblem:
    """A problem written down: demands are ("d", i), entries ("e", i)."""

    def __init__(self, options: Mapping[VariableKey, Sequence[Option]], groups: Mapping[VariableKey, str]) -> None:
        self._options = options
        self._groups = groups

    def options(self, key: VariableKey) -> Sequence[Option]:
        return self._options[key]

    def group(self, key: VariableKey) -> str | None:
        return self._groups.get(key)

    def may_share(self, one: VariableKey, other: VariableKey) -> bool:
        return True


@st.composite
def problems(draw: st.DrawFn, *, shared: bool) -> tuple[ListedProblem, list[VariableKey]]:
    """Some demands that are wanted, some entries, and demands that entries need (`shared`: wanted ones among them)."""
    wanted = [("d", i) for i in range(draw(st.integers(1, 5)))]
    needed = [("n", i) for i in range(draw(st.integers(0, 3)))]
    entries = [("e", i) for i in range(draw(st.integers(1, 4)))]
    groups: dict[VariableKey, str] = {entry: draw(st.sampled_from("abc")) for entry in entries}
    options: dict[VariableKey, Sequence[Option]] = {}
    for demand in [*wanted, *needed]:
        ways = draw(st.lists(st.sampled_from([None, *entries]), min_size=1, max_size=3, unique=True))
        options[demand] = [
            Option(draw(st.sampled_from([1, 2, 500, 1500])), (way,) if way else (), free=way is None) for way in ways
        ]
    pool = needed + (wanted if shared else [])
    for entry in entries:
        keys = st.lists(st.sampled_from(pool), max_size=2, unique=True) if pool else st.just([])
        options[entry] = [Option(0, tuple(draw(keys))) for _ in range(draw(st.integers(1, 2)))]
    return ListedProblem(options, groups), list(wanted)


def all_assignments(problem: ListedProblem, wanted: list[VariableKey]) -> Iterator[dict[VariableKey, Option]]:
    def extend(settled: dict[VariableKey, Option], open_: list[VariableKey]) -> Iterator[dict[VariableKey, Option]]:
        if not open_:
            yield settled
            return
        key, *rest = open_
        for option in problem.options(key):
            more = [need for need in option.needs if need not in settled and need != key and need not in rest]
            yield from extend({**settled, key: option}, rest + more)

    yield from extend({}, wanted)


def cheapest(problem: ListedProblem, wanted: list[VariableKey]) -> int | None:
    costs = [found.cost for a in all_assignments(problem, wanted) if (found := true_cost(problem, a)) is not None]
    return min(costs, default=None)


@settings(max_examples=150, deadline=None)
@given(problems(shared=True))
def test_search_without_early_settling_finds_the_cheapest(case: tuple[ListedProblem, list[VariableKey]]) -> None:
    """Branch and bound prunes nothing that could have been better."""
    problem, wanted = case
    found = _Search(problem, Budget(UNLIMITED, UNLIMITED), settle_early=False).run(wanted)
    assert cheapest(problem, wanted) == (None if found is None else found.cost)


@settings(max_examples=150, deadline=None)
@given(problems(shared=False))
def test_combine_finds_the_cheapest(case: tuple[ListedProblem, list[VariableKey]]) -> None:
    """Settling early loses nothing where what entries need is not also wanted for itself."""
    problem, wanted = case
    found = combine(problem, wanted, Budget(UNLIMITED, UNLIMITED))
    assert cheapest(problem, wanted) == (None if found is None else found.cost)


@settings(max_examples=150, deadline=None)
@given(problems(shared=True))
def test_combine_finds_a_solution_whenever_there_is_one(case: tuple[ListedProblem, list[VariableKey]]) -> None:
    """What is found is consistent: its cost is the true cost of its options."""
    problem, wanted = case
    best = cheapest(problem, wanted)
    found = combine(problem, wanted, Budget(UNLIMITED, UNLIMITED))
    assert (best is None) == (found is None)
    if found is not None and best is not None:
        again = true_cost(problem, found.options)
        assert again is not None
        assert best <= again.cost == found.cost


@settings(max_examples=150, deadline=None)
@given(problems(shared=True), st.randoms(use_true_random=False))
def test_bound_never_exceeds_a_true_cost(case: tuple[ListedProblem, list[VariableKey]], rng: random.Random) -> None:
    """On the way to any complete combination, the bound is at most that combination's cost."""
    problem, wanted = case
    assignments = [(a, found.cost) for a in all_assignments(problem, wanted) if (found := true_cost(problem, a))]
    for assignment, cost in assignments[:20]:
        search = _Search(problem, Budget(UNLIMITED, UNLIMITED), settle_early=True)
        settled: dict[VariableKey, Option] = {}
        open_: dict[VariableKey, None] = dict.fromkeys(wanted)
        groups: set[str] = set()
        spent = 0
        while open_:
            assert search.bound(open_, groups, spent) <= cost
            key = rng.choice(list(open_))
            spent += search.settle(key, assignment[key], settled, open_, groups)


def test_budget_ends_the_search_with_a_solution() -> None:
    """With no budget at all the first descent is still completed, and the budget says that it was reached."""
    entries = [("e", i) for i in range(4)]
    options: dict[VariableKey, Sequence[Option]] = {entry: [Option(0, ())] for entry in entries}
    wanted: list[VariableKey] = []
    for i in range(6):
        options["d", i] = [Option(1, (entry,)) for entry in entries[i % 3 :]]
        wanted.append(("d", i))
    problem = ListedProblem(options, {entry: f"g{entry[1]}" for entry in entries})
    budget = Budget(1, 1)
    assert combine(problem, wanted, budget) is not None
    assert budget.reached
