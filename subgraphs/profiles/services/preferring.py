"""Preferences of profiles, mails that an account wants, and what it consents to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from subgraphs.kernel.ids import AccountId, ProfileId
from subgraphs.profiles.domain.accounts import Account, Profile
from subgraphs.profiles.domain.consents import (
    PURPOSES,
    Consent,
    ConsentRecord,
    ConsentSource,
    Purpose,
    granted_purposes,
    standing_consents,
)
from subgraphs.profiles.domain.notifications import MailCategory, MailPreferences
from subgraphs.profiles.domain.outcomes import Invalid, NotAllowed, NotSignedIn, ProfileMissing
from subgraphs.profiles.domain.preferences import (
    DEFAULT_PREFERENCES,
    Preferences,
    PreferencesChange,
    change_preferences,
)
from subgraphs.profiles.ports import AccountStore, ConsentStore, PreferenceStore
from subgraphs.profiles.services.asker import Asker
from subgraphs.profiles.services.events import consent_changed, profile_changed

__all__ = ["Preferring"]

log = structlog.get_logger(__name__)

MAX_CONSENT_RECORDS = 500
"""Decisions of one account. Nothing is overwritten, so something must end a switch that is flipped by a machine."""


@dataclass(frozen=True, slots=True)
class Preferring:
    """The service; `on_commit` is called after a write that left events in the outbox."""

    preferences: PreferenceStore
    consents: ConsentStore
    accounts: AccountStore
    on_commit: Callable[[], None]

    async def change(
        self, asker: Asker, profile_id: ProfileId, change: PreferencesChange
    ) -> tuple[Profile, Preferences] | ProfileMissing | Invalid | NotAllowed | NotSignedIn:
        """Change a profile's preferences: its own always, another's of the account unless from a kids profile."""
        if asker.account is None:
            return NotSignedIn()
        profile = (await self.accounts.profiles_by_id([profile_id])).get(profile_id)
        if profile is None or profile.account_id != asker.account.id:
            return ProfileMissing(profile_id)
        if asker.viewer.is_kids and asker.viewer.profile_id != profile_id:
            return NotAllowed("a kids profile can change its own preferences only; select another profile")
        before = (await self.preferences.preferences_by_profile([profile_id])).get(profile_id, DEFAULT_PREFERENCES)
        after = change_preferences(before, change)
        if isinstance(after, dict):
            return Invalid(after)
        if after != before:
            await self.preferences.set_preferences(profile_id, after, asker.now)
        return profile, after

    async def mute_mails(
        self, asker: Asker, muted: frozenset[MailCategory]
    ) -> Account | Invalid | NotAllowed | NotSignedIn:
        """Say which mails the account does not want; those about its security always come."""
        if asker.account is None:
            return NotSignedIn()
        if asker.viewer.is_kids:
            return NotAllowed("a kids profile can't change the account; select another profile or log in anew")
        if MailCategory.SECURITY in muted:
            return Invalid({"muted": "holds SECURITY; mails about the account's security always come"})
        await self.preferences.set_mail_preferences(asker.account.id, MailPreferences(muted))
        return asker.account

    async def standing(self, account_id: AccountId) -> tuple[Consent, ...]:
        """Where an account stands on every purpose."""
        return standing_consents((await self.consents.records_by_account([account_id])).get(account_id, ()))

    async def decide(
        self, asker: Asker, purpose: Purpose, version: int, source: ConsentSource, *, is_granted: bool
    ) -> Consent | Invalid | NotAllowed | NotSignedIn:
        """Record a decision. `version` is that of the words that were shown, which must be today's to agree."""
        account = asker.account
        if account is None:
            return NotSignedIn()
        if asker.viewer.is_kids:
            return NotAllowed("a kids profile can't decide on consent; select another profile or log in anew")
        current = PURPOSES[purpose].version
        if version > current or version < 1 or (is_granted and version != current):
            return Invalid({"input.textVersion": f"is {version}; show version {current} of the text and send that"})
        return await self._record(account, ConsentRecord(purpose, is_granted, version, source, asker.now))

    async def withdraw(self, account_id: AccountId, purpose: Purpose, source: ConsentSource, now: datetime) -> None:
        """For who proved to be the account's holder in another way than by a session; again, or late: no harm."""
        account = (await self.accounts.accounts_by_id([account_id])).get(account_id)
        if account is None or purpose not in granted_purposes(await self.standing(account_id)):
            return
        version = PURPOSES[purpose].version
        withdrawal = ConsentRecord(purpose=purpose, is_granted=False, version=version, source=source, recorded_at=now)
        await self._record(account, withdrawal)

    async def _record(self, account: Account, record: ConsentRecord) -> Consent | NotAllowed:
        standing = await self.standing(account.id)
        before = {consent.purpose: consent for consent in standing}[record.purpose]
        same = before.record is not None and (before.record.is_granted, before.record.version) == (
            record.is_granted,
            record.version,
        )
        if same:
            return before
        profiles = (await self.accounts.profiles_by_account([account.id])).get(account.id, ())
        events = [consent_changed(account.id, [profile.id for profile in profiles], record)]
        if record.purpose is Purpose.DIGEST:
            # Who composes digests must know for whom: what was told of the profiles before said that nobody asked.
            granted = granted_purposes(standing) - {record.purpose} | ({record.purpose} if record.is_granted else set())
            events += [profile_changed(profile, account, record.recorded_at, granted) for profile in profiles]
        # Withdrawing always fits: each takes back a grant, or a default.
        max_records = MAX_CONSENT_RECORDS + (0 if record.is_granted else len(PURPOSES))
        if not await self.consents.add_record(account.id, record, max_records=max_records, events=events):
            return NotAllowed(f"{MAX_CONSENT_RECORDS} decisions are recorded, as many as there may be; ask support")
        self.on_commit()
        log.info("consent.changed", account_id=account.id, purpose=record.purpose.value, is_granted=record.is_granted)
        return Consent(record.purpose, record.is_granted, before.current_version, record)
