"""PINs of profiles: four digits that keep others in the household out, of which few guesses are ever looked at.

A PIN guards its own profile: selecting it, raising its maturity limit, turning it from kids mode, and changing the PIN.
The PIN of a kids profile also guards the way out of it, to profiles that have none. The account's password replaces
every PIN. Tries are counted before the PIN is looked at, so that a hundred guesses at once are no more than one after
the other, and the count is kept beside the hash: where the one can't be read, the other can't be tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from subgraphs.kernel.ids import ProfileId
from subgraphs.profiles.domain.accounts import Profile

__all__ = [
    "MAX_PIN_TRIES",
    "PIN_WINDOW",
    "PinLocked",
    "PinRules",
    "PinTry",
    "count_try",
    "guards_change",
    "guards_selection",
    "is_pin",
]

PIN_LENGTH = 4
MAX_PIN_TRIES = 5
PIN_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class PinRules:
    """`max_tries` in any `window`."""

    max_tries: int = MAX_PIN_TRIES
    window: timedelta = PIN_WINDOW


@dataclass(frozen=True, slots=True)
class PinTry:
    """One guess that may be looked at: the stored form, and whether it is the last before the lock."""

    pin_hash: str
    tries: tuple[datetime, ...]
    is_last: bool


@dataclass(frozen=True, slots=True)
class PinLocked:
    """No guess is looked at before `until`."""

    until: datetime

    def retry_after_s(self, now: datetime) -> int:
        """Whole seconds, at least one."""
        return max(1, -(-(self.until - now) // timedelta(seconds=1)))


def is_pin(text: str) -> bool:
    """Four ASCII digits."""
    return len(text) == PIN_LENGTH and text.isascii() and text.isdigit()


def count_try(pin_hash: str, tries: Sequence[datetime], now: datetime, rules: PinRules) -> PinTry | PinLocked:
    """Count one guess now after the `tries` before it, oldest first; a guess that is refused does not count."""
    recent = tuple(at for at in tries if now - at < rules.window)
    if len(recent) >= rules.max_tries:
        return PinLocked(recent[-rules.max_tries] + rules.window)
    counted = (*recent, now)
    return PinTry(pin_hash, counted, is_last=len(counted) == rules.max_tries)


def guards_selection(current: Profile | None, wanted: Profile, locked: frozenset[ProfileId]) -> ProfileId | None:
    """Whose PIN selecting `wanted` needs in a session that has `current` selected; None: nobody's."""
    if wanted.id in locked:
        return wanted.id
    if current is not None and current.is_kids and current.id != wanted.id and current.id in locked:
        return current.id
    return None


def guards_change(before: Profile, after: Profile) -> bool:
    """Whether a change needs the profile's PIN, if it has one: it would show more than before."""
    return after.maturity_limit > before.maturity_limit or (before.is_kids and not after.is_kids)
