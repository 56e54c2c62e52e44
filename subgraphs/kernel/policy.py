"""The one policy: whether this viewer may see this title, and whether they may play it.

Every door asks here: home, search, similar, details by id, entities, My List, continue watching, play, licences.
The rules, in the order in which a refusal is named:

1. a withdrawn title is there for nobody;
2. a block of the viewer's country beats everything; a viewer whose country is unknown counts as blocked wherever any
   country is;
3. availability is denied unless a window for the viewer's country, or for all (`*`), is open now;
4. a kids profile sees titles made for kids only;
5. the certificate's minimum age must not be above the profile's maturity limit; without a profile there is no limit,
   as facts about films are public, but nothing can be played;
6. playing needs an account, a profile and a subscription in force, besides all of the above.

Who may not see a title gets the answer for a title that does not exist. Pure: no clock, no store; the property tests
hold that more rights never show less and that a refusal never turns into play.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from common.tokens import Viewer

__all__ = [
    "EVERYWHERE",
    "MAX_MATURITY",
    "PLAYABLE_SUBSCRIPTIONS",
    "Decision",
    "Offered",
    "Refusal",
    "TitleFacts",
    "Window",
    "decide",
    "facts_from_snapshot",
    "may_see",
]

EVERYWHERE = "*"
"""A window with this country holds for every country."""
MAX_MATURITY = 18
PLAYABLE_SUBSCRIPTIONS = frozenset({"ACTIVE", "CANCELLED"})
"""A cancelled subscription runs until its paid period ends; then it becomes EXPIRED."""


class Refusal(StrEnum):
    """Why not; the first rule that says no."""

    WITHDRAWN = "WITHDRAWN"
    BLOCKED_IN_COUNTRY = "BLOCKED_IN_COUNTRY"
    NO_OPEN_WINDOW = "NO_OPEN_WINDOW"
    NOT_FOR_KIDS = "NOT_FOR_KIDS"
    ABOVE_MATURITY_LIMIT = "ABOVE_MATURITY_LIMIT"
    NOT_SIGNED_IN = "NOT_SIGNED_IN"
    NO_PROFILE = "NO_PROFILE"
    SUBSCRIPTION_LAPSED = "SUBSCRIPTION_LAPSED"


@dataclass(frozen=True, slots=True)
class Window:
    """When a title is offered, from `opens_at` to before `closes_at`; `country` is ISO 3166 alpha-2 or EVERYWHERE."""

    country: str
    opens_at: datetime | None = None
    closes_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether `now` lies inside; an end that is None is open."""
        return (self.opens_at is None or self.opens_at <= now) and (self.closes_at is None or now < self.closes_at)


@dataclass(frozen=True, slots=True)
class TitleFacts:
    """What the policy must know of a title. `minimum_age` is its certificate as an age, 0 to 18."""

    minimum_age: int
    is_kids: bool
    windows: tuple[Window, ...] = ()
    blocked_countries: frozenset[str] = frozenset()
    is_withdrawn: bool = False

    @property
    def is_gone(self) -> bool:
        """There for nobody, whoever took it away."""
        return self.is_withdrawn


class Offered(Protocol):
    """Facts, or a title that has them itself: pages ask for a hundred, and making the facts of each costs a third."""

    @property
    def minimum_age(self) -> int:
        """See TitleFacts."""

    @property
    def is_kids(self) -> bool:
        """See TitleFacts."""

    @property
    def windows(self) -> tuple[Window, ...]:
        """See TitleFacts."""

    @property
    def blocked_countries(self) -> frozenset[str]:
        """See TitleFacts."""

    @property
    def is_gone(self) -> bool:
        """See TitleFacts."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`refusal` is why the viewer may not play; None exactly when they may."""

    may_see: bool
    refusal: Refusal | None

    @property
    def may_play(self) -> bool:
        """Whether play is allowed as far as rights go; whether there is something to play is the asset's matter."""
        return self.refusal is None


def may_see(viewer: Viewer, offered: Offered, now: datetime) -> bool:
    """As `decide` says."""
    return _visibility_refusal(viewer, offered, now) is None


def decide(viewer: Viewer, facts: TitleFacts, now: datetime) -> Decision:
    """Whether `viewer` may see and play a title with these facts at `now`."""
    hidden = _visibility_refusal(viewer, facts, now)
    if hidden is not None:
        return Decision(may_see=False, refusal=hidden)
    return Decision(may_see=True, refusal=_account_refusal(viewer))


def facts_from_snapshot(snapshot: Mapping[str, Any]) -> TitleFacts:
    """The facts in a `title.changed` event's snapshot; raises KeyError, TypeError or ValueError for a bad one."""
    return TitleFacts(
        minimum_age=int(snapshot["minimumAge"]),
        is_kids=bool(snapshot["isKids"]),
        windows=tuple(_windows(snapshot["windows"])),
        blocked_countries=frozenset(str(country) for country in snapshot.get("blockedCountries") or ()),
    )


def _visibility_refusal(viewer: Viewer, facts: Offered, now: datetime) -> Refusal | None:
    if facts.is_gone:
        return Refusal.WITHDRAWN
    country = viewer.country
    blocked = facts.blocked_countries
    if blocked and (country is None or country in blocked or EVERYWHERE in blocked):
        return Refusal.BLOCKED_IN_COUNTRY
    for window in facts.windows:
        if window.country in (EVERYWHERE, country) and window.is_open(now):
            break
    else:
        return Refusal.NO_OPEN_WINDOW
    if viewer.is_kids and not facts.is_kids:
        return Refusal.NOT_FOR_KIDS
    if facts.minimum_age > _maturity_limit(viewer):
        return Refusal.ABOVE_MATURITY_LIMIT
    return None


def _account_refusal(viewer: Viewer) -> Refusal | None:
    if viewer.account_id is None:
        return Refusal.NOT_SIGNED_IN
    if viewer.profile_id is None:
        return Refusal.NO_PROFILE
    if viewer.subscription not in PLAYABLE_SUBSCRIPTIONS:
        return Refusal.SUBSCRIPTION_LAPSED
    return None


def _maturity_limit(viewer: Viewer) -> int:
    if viewer.maturity is not None:
        return viewer.maturity
    # A profile's token always carries its limit; one without is not to be trusted with anything above "for all".
    return MAX_MATURITY if viewer.profile_id is None else 0


def _windows(rows: Iterable[Mapping[str, Any]]) -> Iterable[Window]:
    for row in rows:
        yield Window(str(row["country"]), _instant(row.get("from")), _instant(row.get("until")))


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"a window's instant needs a time zone, got {text!r}")
    return instant
