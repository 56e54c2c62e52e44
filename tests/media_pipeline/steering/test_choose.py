"""The steering decision's invariants."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from media_pipeline.steering.choose import order_pathways
from media_pipeline.steering.pathway import Pathway, PathwayHealth
from media_pipeline.steering.signals import SteeringSignals

MIN_BPS = 500_000

ids = st.sampled_from(["a", "b", "c", "d", "e"])
regions = st.sampled_from(["US", "DE", "JP"])
pathways = st.lists(
    st.builds(Pathway, ids, st.just("http://x"), st.frozensets(regions, max_size=2), st.integers(1, 10)),
    min_size=1,
    max_size=5,
    unique_by=lambda pathway: pathway.id,
)
signals = st.builds(
    SteeringSignals,
    st.text(min_size=1, max_size=8),
    st.none() | regions,
    st.dictionaries(ids, st.sampled_from(list(PathwayHealth))),
    st.dictionaries(ids, st.none() | st.integers(0, 10_000_000), max_size=2),
)


@given(pathways, signals, st.randoms())
def test_the_order_is_a_permutation_that_does_not_depend_on_configuration_order(
    pathways: list[Pathway], signals: SteeringSignals, random: Random
):
    ordered = order_pathways(pathways, signals, MIN_BPS)
    assert sorted(ordered, key=lambda p: p.id) == sorted(pathways, key=lambda p: p.id)
    shuffled = random.sample(pathways, len(pathways))
    assert order_pathways(shuffled, signals, MIN_BPS) == ordered


@given(pathways, signals)
def test_a_healthier_pathway_never_stands_behind(pathways: list[Pathway], signals: SteeringSignals):
    healths = [
        signals.health_by_id.get(pathway.id, PathwayHealth.HEALTHY)
        for pathway in order_pathways(pathways, signals, MIN_BPS)
    ]
    assert healths == sorted(healths)


@given(pathways, st.text(min_size=1, max_size=8), ids)
def test_losing_one_pathway_moves_nobody_between_the_others(pathways: list[Pathway], session_id: str, lost: str):
    """Rendezvous hashing: without one pathway, the others keep their order."""
    before = [p.id for p in order_pathways(pathways, SteeringSignals(session_id), MIN_BPS)]
    left = [p for p in pathways if p.id != lost]
    after = [p.id for p in order_pathways(left, SteeringSignals(session_id), MIN_BPS)]
    assert after == [pathway_id for pathway_id in before if pathway_id != lost]


def test_sessions_spread_in_proportion_to_weight():
    """2,000 sessions over weights 3 and 1: three quarters on the first, within five standard deviations."""
    heavy, light = Pathway("heavy", "", weight=3), Pathway("light", "", weight=1)
    first = Counter(
        order_pathways([heavy, light], SteeringSignals(f"session-{number}"), MIN_BPS)[0].id for number in range(2000)
    )
    assert abs(first["heavy"] - 1500) < 5 * (2000 * 0.75 * 0.25) ** 0.5


def test_a_player_stays_where_it_is_served_well_and_leaves_where_it_is_not():
    both = [Pathway("a", ""), Pathway("b", "")]

    def best(**throughputs: int | None) -> str:
        return order_pathways(both, SteeringSignals("s", throughput_bps_by_id=throughputs), MIN_BPS)[0].id

    assert (best(a=2_000_000), best(b=2_000_000)) == ("a", "b")
    assert (best(a=None), best(b=None)) == ("a", "b")
    assert (best(a=100_000), best(b=100_000)) == ("b", "a")


def test_a_region_is_preferred_but_a_sick_neighbour_is_not():
    near, far = Pathway("near", "", frozenset({"DE"})), Pathway("far", "", frozenset({"US"}))
    assert order_pathways([far, near], SteeringSignals("s", "DE"), MIN_BPS)[0] == near
    down = {"near": PathwayHealth.DOWN}
    assert order_pathways([far, near], SteeringSignals("s", "DE", down), MIN_BPS) == (far, near)
