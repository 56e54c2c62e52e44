"""The one policy, as a table and as properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.tokens import Viewer
from subgraphs.kernel.policy import Decision, Refusal, TitleFacts, Window, decide, facts_from_snapshot, may_see

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERYWHERE = Window("*")
FILM = TitleFacts(minimum_age=12, is_kids=False, windows=(EVERYWHERE,))
CARTOON = TitleFacts(minimum_age=0, is_kids=True, windows=(EVERYWHERE,))

ADULT = Viewer(
    account_id="acc_1",
    session_id="ses_1",
    country="US",
    plan="PREMIUM",
    subscription="ACTIVE",
    profile_id="prof_1",
    maturity=18,
    language="en",
)
TEEN = replace(ADULT, maturity=11)
KID = replace(ADULT, is_kids=True, maturity=7)
ACCOUNT = replace(ADULT, profile_id=None, maturity=None)
ANONYMOUS = Viewer()

SEE_AND_PLAY = Decision(may_see=True, refusal=None)


def see_only(refusal: Refusal) -> Decision:
    return Decision(may_see=True, refusal=refusal)


def hidden(refusal: Refusal) -> Decision:
    return Decision(may_see=False, refusal=refusal)


TABLE = {
    "an adult plays a film": (ADULT, FILM, SEE_AND_PLAY),
    "a kid plays a cartoon": (KID, CARTOON, SEE_AND_PLAY),
    "a kid does not see a film": (KID, FILM, hidden(Refusal.NOT_FOR_KIDS)),
    "a kid does not see a film for all ages that was not made for kids": (
        KID,
        replace(FILM, minimum_age=0),
        hidden(Refusal.NOT_FOR_KIDS),
    ),
    "a kid does not see a kids' title above the limit": (
        KID,
        replace(CARTOON, minimum_age=8),
        hidden(Refusal.ABOVE_MATURITY_LIMIT),
    ),
    "a limit excludes what is above it": (TEEN, FILM, hidden(Refusal.ABOVE_MATURITY_LIMIT)),
    "a limit includes its own age": (TEEN, replace(FILM, minimum_age=11), SEE_AND_PLAY),
    "a profile without a limit in its token sees what is for all": (
        replace(ADULT, maturity=None),
        CARTOON,
        SEE_AND_PLAY,
    ),
    "a profile without a limit in its token sees nothing else": (
        replace(ADULT, maturity=None),
        FILM,
        hidden(Refusal.ABOVE_MATURITY_LIMIT),
    ),
    "without a profile one may look": (ACCOUNT, replace(FILM, minimum_age=18), see_only(Refusal.NO_PROFILE)),
    "anonymously one may look": (ANONYMOUS, FILM, see_only(Refusal.NOT_SIGNED_IN)),
    "an expired subscription may look": (
        replace(ADULT, subscription="EXPIRED"),
        FILM,
        see_only(Refusal.SUBSCRIPTION_LAPSED),
    ),
    "a suspended subscription may look": (
        replace(ADULT, subscription="SUSPENDED"),
        FILM,
        see_only(Refusal.SUBSCRIPTION_LAPSED),
    ),
    "no subscription may look": (replace(ADULT, subscription=None), FILM, see_only(Refusal.SUBSCRIPTION_LAPSED)),
    "a cancelled subscription plays until it has expired": (
        replace(ADULT, subscription="CANCELLED"),
        FILM,
        SEE_AND_PLAY,
    ),
    "a withdrawn title is there for nobody": (ADULT, replace(FILM, is_withdrawn=True), hidden(Refusal.WITHDRAWN)),
    "no window means no": (ADULT, replace(FILM, windows=()), hidden(Refusal.NO_OPEN_WINDOW)),
    "another country's window means no": (
        ADULT,
        replace(FILM, windows=(Window("DE"),)),
        hidden(Refusal.NO_OPEN_WINDOW),
    ),
    "one's own country's window means yes": (ADULT, replace(FILM, windows=(Window("US"),)), SEE_AND_PLAY),
    "a block beats a window": (
        ADULT,
        replace(FILM, blocked_countries=frozenset({"US"})),
        hidden(Refusal.BLOCKED_IN_COUNTRY),
    ),
    "another country's block does not matter": (
        ADULT,
        replace(FILM, blocked_countries=frozenset({"DE"})),
        SEE_AND_PLAY,
    ),
    "a block everywhere is a block": (
        ADULT,
        replace(FILM, blocked_countries=frozenset({"*"})),
        hidden(Refusal.BLOCKED_IN_COUNTRY),
    ),
    "who may be in a blocked country counts as being there": (
        ANONYMOUS,
        replace(FILM, blocked_countries=frozenset({"DE"})),
        hidden(Refusal.BLOCKED_IN_COUNTRY),
    ),
    "a country's window does not open for an unknown country": (
        ANONYMOUS,
        replace(FILM, windows=(Window("US"),)),
        hidden(Refusal.NO_OPEN_WINDOW),
    ),
    "a window that opens now is open": (ADULT, replace(FILM, windows=(Window("*", opens_at=NOW),)), SEE_AND_PLAY),
    "a window that opens later is not": (
        ADULT,
        replace(FILM, windows=(Window("*", opens_at=NOW + HOUR),)),
        hidden(Refusal.NO_OPEN_WINDOW),
    ),
    "a window that closes now is closed": (
        ADULT,
        replace(FILM, windows=(Window("*", closes_at=NOW),)),
        hidden(Refusal.NO_OPEN_WINDOW),
    ),
    "one open window of several is enough": (
        ADULT,
        replace(FILM, windows=(Window("*", closes_at=NOW), Window("US", NOW - HOUR, NOW + HOUR))),
        SEE_AND_PLAY,
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case: str) -> None:
    """Each row in words."""
    viewer, facts, expected = TABLE[case]
    assert decide(viewer, facts, NOW) == expected


countries = st.sampled_from(["US", "DE", "FR"])
instants = st.none() | st.integers(-3, 3).map(lambda hours: NOW + hours * HOUR)
windows = st.builds(Window, country=countries | st.just("*"), opens_at=instants, closes_at=instants)
facts_ = st.builds(
    TitleFacts,
    minimum_age=st.integers(0, 18),
    is_kids=st.booleans(),
    windows=st.lists(windows, max_size=3).map(tuple),
    blocked_countries=st.frozensets(countries | st.just("*"), max_size=2),
    is_withdrawn=st.booleans(),
)
viewers = st.builds(
    Viewer,
    account_id=st.sampled_from([None, "acc_1"]),
    session_id=st.just("ses_1"),
    country=st.none() | countries,
    plan=st.sampled_from(["BASIC", "PREMIUM"]),
    subscription=st.sampled_from([None, "ACTIVE", "CANCELLED", "SUSPENDED", "EXPIRED"]),
    profile_id=st.sampled_from([None, "prof_1"]),
    is_kids=st.booleans(),
    maturity=st.none() | st.integers(0, 18),
)


@given(viewers, facts_)
def test_what_may_be_played_may_be_seen(viewer: Viewer, facts: TitleFacts) -> None:
    """There is no way to play past a door that is closed for looking."""
    decision = decide(viewer, facts, NOW)
    assert decision.may_see or not decision.may_play
    assert decision.may_play == (decision.refusal is None)
    assert may_see(viewer, facts, NOW) is decision.may_see


@given(viewers, facts_)
def test_a_kids_profile_never_sees_what_is_not_for_it(viewer: Viewer, facts: TitleFacts) -> None:
    """Whatever else holds."""
    kid = replace(viewer, is_kids=True, profile_id="prof_1", maturity=7)
    if decide(kid, facts, NOW).may_see:
        assert facts.is_kids
        assert facts.minimum_age <= 7


@given(viewers, facts_, st.integers(0, 18), st.integers(0, 18))
def test_a_higher_limit_never_hides_anything(viewer: Viewer, facts: TitleFacts, one: int, other: int) -> None:
    """Monotone in the maturity limit."""
    low, high = (replace(viewer, maturity=limit) for limit in sorted((one, other)))
    assert decide(high, facts, NOW).may_see or not decide(low, facts, NOW).may_see


@given(viewers, facts_, countries)
def test_a_block_hides_whatever_the_windows_say(viewer: Viewer, facts: TitleFacts, country: str) -> None:
    """For every viewer of that country."""
    blocked = replace(facts, blocked_countries=facts.blocked_countries | {country})
    assert not decide(replace(viewer, country=country), blocked, NOW).may_see


@given(viewers, facts_, windows)
def test_a_further_window_never_hides_anything(viewer: Viewer, facts: TitleFacts, window: Window) -> None:
    """Monotone in the windows, and without any nothing is seen."""
    more = replace(facts, windows=(*facts.windows, window))
    assert decide(viewer, more, NOW).may_see or not decide(viewer, facts, NOW).may_see
    assert not decide(viewer, replace(facts, windows=()), NOW).may_see


@given(viewers, facts_)
def test_the_subscription_decides_about_play_alone(viewer: Viewer, facts: TitleFacts) -> None:
    """A lapsed account sees exactly what it saw before."""
    paying, lapsed = replace(viewer, subscription="ACTIVE"), replace(viewer, subscription="EXPIRED")
    assert decide(paying, facts, NOW).may_see == decide(lapsed, facts, NOW).may_see
    assert not decide(lapsed, facts, NOW).may_play


def test_reads_the_facts_of_a_snapshot() -> None:
    """As topic `titles` carries them."""
    snapshot = {
        "id": "mov_1",
        "minimumAge": 12,
        "isKids": False,
        "windows": [{"country": "US", "from": "2026-01-01T00:00:00+00:00", "until": None}],
        "blockedCountries": ["KP"],
    }
    opens_at = datetime(2026, 1, 1, tzinfo=UTC)
    assert facts_from_snapshot(snapshot) == TitleFacts(12, False, (Window("US", opens_at),), frozenset({"KP"}))


@pytest.mark.parametrize(
    "change", [{"minimumAge": None}, {"windows": [{}]}, {"windows": [{"country": "*", "from": "2026-01-01T00:00:00"}]}]
)
def test_refuses_a_malformed_snapshot(change: dict[str, object]) -> None:
    """A half-understood title must not become visible; the event goes to the dead letters."""
    snapshot = {"minimumAge": 0, "isKids": True, "windows": [], "blockedCountries": [], **change}
    with pytest.raises((KeyError, TypeError, ValueError)):
        facts_from_snapshot(snapshot)
