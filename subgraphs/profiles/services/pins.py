"""PINs of profiles: asked where one guards something, set and taken away by who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from subgraphs.kernel.ids import ProfileId
from subgraphs.profiles.domain.accounts import Account, Profile
from subgraphs.profiles.domain.notifications import NotificationKind
from subgraphs.profiles.domain.outcomes import (
    Invalid,
    Limited,
    NotAllowed,
    NotSignedIn,
    PinLockedOut,
    PinNeeded,
    PinWrong,
    ProfileMissing,
    WrongCredentials,
)
from subgraphs.profiles.domain.pins import PinLocked, PinRules, guards_change, guards_selection, is_pin
from subgraphs.profiles.ports import AccountStore, PasswordHasher, PinStore
from subgraphs.profiles.services.asker import Asker
from subgraphs.profiles.services.notices import Notices
from subgraphs.profiles.services.passwords import Passwords

__all__ = ["PinRefusal", "Pins"]

log = structlog.get_logger(__name__)

PinRefusal = PinNeeded | PinWrong | PinLockedOut


@dataclass(frozen=True, slots=True)
class Pins:
    """The service. A store that is away raises ServiceError(UNAVAILABLE): nothing is let through uncounted."""

    pins: PinStore
    accounts: AccountStore
    hasher: PasswordHasher
    passwords: Passwords
    notices: Notices
    rules: PinRules

    async def check_selection(
        self, account: Account, current: Profile | None, wanted: Profile, pin: str | None, now: datetime
    ) -> PinRefusal | None:
        """Whether a session that has `current` selected may select `wanted`; None: it may."""
        ids = [wanted.id] if current is None else [wanted.id, current.id]
        guard = guards_selection(current, wanted, await self.pins.locked_profiles(ids))
        if guard is None:
            return None
        guarded = wanted if guard == wanted.id else current
        assert guarded is not None
        return await self._check(account, guarded, pin, now)

    async def check_change(
        self, account: Account, before: Profile, after: Profile, pin: str | None, now: datetime
    ) -> PinRefusal | None:
        """Whether a profile may be changed so; None: it may."""
        return await self._check(account, before, pin, now) if guards_change(before, after) else None

    async def set_pin(
        self,
        asker: Asker,
        profile_id: ProfileId,
        new_pin: str | None,
        *,
        current_pin: str | None,
        password: str | None,
    ) -> Profile | ProfileMissing | Invalid | NotAllowed | NotSignedIn | Limited | WrongCredentials | PinRefusal:
        """Set, change or (None) take away a PIN, by the one there is or by the account's password.

        The first one needs the password: else a child could shut the others out.
        """
        account, now = asker.account, asker.now
        if account is None:
            return NotSignedIn()
        profile = (await self.accounts.profiles_by_id([profile_id])).get(profile_id)
        if profile is None or profile.account_id != account.id:
            return ProfileMissing(profile_id)
        if new_pin is not None and not is_pin(new_pin):
            return Invalid({"input.pin": "is no PIN; give four digits"})
        if password is not None:
            refusal: Limited | WrongCredentials | PinRefusal | None = await self.passwords.check(
                account, password, asker.address
            )
        elif asker.viewer.is_kids:
            return NotAllowed("a kids profile can't change PINs without the account's password; give it too")
        elif not await self.pins.locked_profiles([profile_id]):
            return Invalid({"input.password": "is needed: the profile has no PIN yet"})
        else:
            refusal = await self._check(account, profile, current_pin, now)
        if refusal is not None:
            return refusal
        pin_hash = None if new_pin is None else await self.hasher.hash(new_pin)
        await self.pins.set_pin(profile_id, pin_hash, now)
        log.info("pin.changed", profile_id=profile_id, is_set=new_pin is not None)
        return profile

    async def _check(self, account: Account, profile: Profile, pin: str | None, now: datetime) -> PinRefusal | None:
        """Whether `pin` is the profile's, or it has none; every guess is counted before it is looked at."""
        if pin is None:
            return PinNeeded(profile.id) if await self.pins.locked_profiles([profile.id]) else None
        counted = await self.pins.begin_try(profile.id, now, self.rules)
        if counted is None:
            return None
        if isinstance(counted, PinLocked):
            # Told here too, once per lock: whoever locked it may have died before telling.
            await self._tell_locked(account, profile, counted.until, now)
            return PinLockedOut(profile.id, counted.retry_after_s(now))
        if is_pin(pin) and await self.hasher.verify(pin, counted.pin_hash):
            await self.pins.forget_tries(profile.id, counted.pin_hash)
            return None
        if counted.is_last:
            await self._tell_locked(account, profile, counted.tries[0] + self.rules.window, now)
        return PinWrong(profile.id, self.rules.max_tries - len(counted.tries))

    async def _tell_locked(self, account: Account, profile: Profile, until: datetime, now: datetime) -> None:
        minutes = -(-self.rules.window // timedelta(minutes=1))
        is_news = await self.notices.tell(
            account,
            NotificationKind.PIN_LOCKED,
            now,
            key=f"pin-locked:{profile.id}:{until.isoformat()}",
            details={"profile": profile.name, "minutes": str(minutes)},
        )
        if is_news:
            log.warning("pin.locked", profile_id=profile.id)
