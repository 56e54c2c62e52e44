"""The shared policy's answer as a reason that players branch on, asked in the order that was decided for play.

token → profile → subscription → title → maturity → region. The policy itself names region before maturity; asking it
first about the same title offered everywhere gives maturity its place without a second rule.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from common.tokens import Viewer
from subgraphs.kernel.policy import EVERYWHERE, Refusal, TitleFacts, Window, decide
from subgraphs.playback.domain.sessions import PlayRefusal

__all__ = ["check_account", "check_play", "check_sight", "refusal_message"]

_OPEN_EVERYWHERE = (Window(EVERYWHERE),)
_FOR_ALL = TitleFacts(minimum_age=0, is_kids=True, windows=_OPEN_EVERYWHERE)

_REASON_BY_REFUSAL = {
    Refusal.NOT_SIGNED_IN: PlayRefusal.NOT_SIGNED_IN,
    Refusal.NO_PROFILE: PlayRefusal.NO_PROFILE,
    Refusal.SUBSCRIPTION_LAPSED: PlayRefusal.SUBSCRIPTION_LAPSED,
    Refusal.WITHDRAWN: PlayRefusal.NOT_FOUND,
    Refusal.NOT_FOR_KIDS: PlayRefusal.RESTRICTED_BY_MATURITY,
    Refusal.ABOVE_MATURITY_LIMIT: PlayRefusal.RESTRICTED_BY_MATURITY,
    Refusal.BLOCKED_IN_COUNTRY: PlayRefusal.UNAVAILABLE_IN_COUNTRY,
    Refusal.NO_OPEN_WINDOW: PlayRefusal.UNAVAILABLE_IN_COUNTRY,
}

_MESSAGES = {
    PlayRefusal.NOT_SIGNED_IN: "Nobody is signed in; log in to watch.",
    PlayRefusal.NO_PROFILE: "No profile is selected; choose who is watching.",
    PlayRefusal.SUBSCRIPTION_LAPSED: "The subscription is not in force; renew it to watch.",
    PlayRefusal.NOT_FOUND: "There is no such title to play; a series is played by its episodes.",
    PlayRefusal.RESTRICTED_BY_MATURITY: "This profile's limits do not allow this title.",
    PlayRefusal.UNAVAILABLE_IN_COUNTRY: "This title is not offered in this account's country now.",
    PlayRefusal.NOT_READY: "There is no film to play for this title yet; try again later.",
    PlayRefusal.TOO_MANY_STREAMS: "Too many devices are watching; stop one of them, or wait.",
}


def refusal_message(reason: PlayRefusal) -> str:
    """The reason in words for people, with the next step."""
    return _MESSAGES[reason]


def check_account(viewer: Viewer, now: datetime) -> PlayRefusal | None:
    """What keeps this viewer from playing anything at all; asked before any title is looked at."""
    return _reason(decide(viewer, _FOR_ALL, now).refusal)


def check_play(viewer: Viewer, facts: TitleFacts, now: datetime) -> PlayRefusal | None:
    """The first reason against playing this title; None when the viewer may."""
    offered_everywhere = replace(facts, windows=_OPEN_EVERYWHERE, blocked_countries=frozenset())
    return (
        check_account(viewer, now)
        or _reason(decide(viewer, offered_everywhere, now).refusal)
        or _reason(decide(viewer, facts, now).refusal)
    )


def check_sight(viewer: Viewer, facts: TitleFacts, now: datetime) -> PlayRefusal | None:
    """Why this viewer may not see this title at all; None when they may, whatever their subscription is."""
    decision = decide(viewer, facts, now)
    return None if decision.may_see else _reason(decision.refusal)


def _reason(refusal: Refusal | None) -> PlayRefusal | None:
    return None if refusal is None else _REASON_BY_REFUSAL[refusal]
