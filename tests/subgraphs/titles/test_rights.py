"""Facts of what belongs to something, and the next opening: both are the policy's word, asked at another place."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from common.tokens import Viewer
from subgraphs.kernel.policy import TitleFacts, Window, decide
from subgraphs.titles.domain.rights import facts_within, next_opening
from tests.subgraphs.titles.catalogue_strategies import COUNTRIES, viewers, windows
from tests.subgraphs.titles.conftest import ADULT, NOW

facts = st.builds(
    TitleFacts,
    minimum_age=st.sampled_from([0, 7, 12, 18]),
    is_kids=st.booleans(),
    windows=st.lists(windows, max_size=3).map(tuple),
    blocked_countries=st.frozensets(st.sampled_from(["*", *COUNTRIES]), max_size=1),
    is_withdrawn=st.sampled_from([False, False, True]),
)
INSTANTS = [NOW + timedelta(hours=hours) for hours in range(-60, 61, 12)]


@given(inner=facts, outer=facts, viewer=viewers)
def test_facts_within_let_see_exactly_what_both_let_see(inner: TitleFacts, outer: TitleFacts, viewer: Viewer) -> None:
    """At every instant; who may not see the series may not see its episode, and nobody else is kept out."""
    both = facts_within(inner, outer)
    for now in INSTANTS:
        expected = decide(viewer, inner, now).may_see and decide(viewer, outer, now).may_see
        assert expected == decide(viewer, both, now).may_see


@given(viewer=viewers, of=facts)
def test_the_next_opening_is_the_first_instant_that_the_policy_allows(viewer: Viewer, of: TitleFacts) -> None:
    """Never told to who may see the title now; at that instant they may, and shortly before they might not."""
    opens_at = next_opening(viewer, of, NOW)
    if decide(viewer, of, NOW).may_see:
        assert opens_at is None
    elif opens_at is not None:
        assert opens_at > NOW
        assert decide(viewer, of, opens_at).may_see
    later = [now for now in INSTANTS if now > NOW and decide(viewer, of, now).may_see]
    if later and not decide(viewer, of, NOW).may_see:
        assert opens_at is not None
        assert opens_at <= later[0]


def test_an_opening_that_comes_to_nothing_is_not_told() -> None:
    """Blocked, withdrawn, or for others only: no window helps."""
    soon = (Window("US", NOW + timedelta(days=1)),)
    assert next_opening(ADULT, TitleFacts(0, is_kids=False, windows=soon), NOW) == NOW + timedelta(days=1)
    for kept_out in (
        TitleFacts(0, is_kids=False, windows=soon, blocked_countries=frozenset({"US"})),
        TitleFacts(0, is_kids=False, windows=soon, is_withdrawn=True),
        TitleFacts(0, is_kids=False, windows=(Window("DE", NOW + timedelta(days=1)),)),
    ):
        assert next_opening(ADULT, kept_out, NOW) is None
