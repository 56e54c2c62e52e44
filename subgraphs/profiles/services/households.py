"""An account's profiles: who may see, create, change and delete them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, new_id
from subgraphs.kernel.policy import MAX_MATURITY
from subgraphs.profiles.domain.accounts import Account, Profile
from subgraphs.profiles.domain.consents import Purpose, granted_purposes
from subgraphs.profiles.domain.languages import normalise_language
from subgraphs.profiles.domain.outcomes import Invalid, NotAllowed, NotSignedIn, ProfileMissing, TooManyProfiles
from subgraphs.profiles.domain.rules import (
    HouseholdRules,
    ProfileDraft,
    check_management,
    check_profile,
    normalise_name,
)
from subgraphs.profiles.ports import AccountStore, Deletion
from subgraphs.profiles.services.events import profile_changed, profile_created, profile_deleted
from subgraphs.profiles.services.pins import PinRefusal, Pins
from subgraphs.profiles.services.preferring import Preferring

__all__ = ["DEFAULT_AVATAR", "DEFAULT_LANGUAGE", "DEFAULT_MATURITY", "Households", "NewProfile", "ProfileChange"]

DEFAULT_AVATAR = "avatar-1"
DEFAULT_LANGUAGE = "en"
DEFAULT_MATURITY = MAX_MATURITY
MAX_UPDATE_TRIES = 3
"""For one request, while others change the same profile."""


@dataclass(frozen=True, slots=True)
class NewProfile:
    """A profile to create; None takes the default: for the maturity limit the highest that its kind may have."""

    name: str
    avatar: str | None = None
    is_kids: bool = False
    maturity_limit: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What to change; None leaves it. `pin` is the profile's, where the change would show more than before."""

    name: str | None = None
    avatar: str | None = None
    is_kids: bool | None = None
    maturity_limit: int | None = None
    language: str | None = None
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Households:
    """The service; `on_commit` is called after a write that left events in the outbox."""

    accounts: AccountStore
    pins: Pins
    preferring: Preferring
    rules: HouseholdRules
    on_commit: Callable[[], None]

    async def signed_in(self, viewer: Viewer) -> Account | None:
        """The viewer's account; None when anonymous, or when the session has ended since the token was issued."""
        if viewer.account_id is None or viewer.session_id is None:
            return None
        account = await self.accounts.account_of_session(SessionId(viewer.session_id))
        return account if account is not None and account.id == viewer.account_id else None

    async def create_profile(
        self, viewer: Viewer, account: Account | None, wanted: NewProfile, now: datetime
    ) -> Profile | TooManyProfiles | Invalid | NotAllowed | NotSignedIn:
        """One more profile; `account` is what `signed_in` gave."""
        if account is None:
            return NotSignedIn()
        default_limit = self.rules.kids_max_maturity if wanted.is_kids else DEFAULT_MATURITY
        draft = ProfileDraft(
            name=normalise_name(wanted.name),
            avatar=wanted.avatar if wanted.avatar is not None else DEFAULT_AVATAR,
            is_kids=wanted.is_kids,
            maturity_limit=default_limit if wanted.maturity_limit is None else wanted.maturity_limit,
            language=DEFAULT_LANGUAGE if wanted.language is None else _tag(wanted.language),
        )
        refusal = check_management(viewer, None, draft)
        if refusal is not None:
            return NotAllowed(refusal)
        problems = check_profile(draft, self.rules)
        if problems:
            return Invalid(problems)
        profile = Profile(
            id=ProfileId(new_id("prof", now)),
            account_id=account.id,
            name=draft.name,
            avatar=draft.avatar,
            is_kids=draft.is_kids,
            maturity_limit=draft.maturity_limit,
            language=draft.language,
            created_at=now,
        )
        limit = self.rules.max_profiles
        events = [profile_created(profile, account, now, await self._granted(account.id))]
        if not await self.accounts.create_profile(profile, max_profiles=limit, events=events):
            return TooManyProfiles(limit)
        self.on_commit()
        return profile

    async def update_profile(
        self, viewer: Viewer, account: Account | None, profile_id: ProfileId, change: ProfileChange, now: datetime
    ) -> Profile | ProfileMissing | Invalid | NotAllowed | NotSignedIn | PinRefusal:
        """Change a profile of the viewer's account; tokens that carry it say so when they are next refreshed."""
        if account is None:
            return NotSignedIn()
        for _ in range(MAX_UPDATE_TRIES):
            outcome = await self._update_profile(viewer, account, profile_id, change, now)
            if outcome is not None:
                return outcome
        raise ServiceError(ErrorKind.ABORTED, "the profile is changed from several places at once; try again")

    async def _update_profile(
        self, viewer: Viewer, account: Account, profile_id: ProfileId, change: ProfileChange, now: datetime
    ) -> Profile | ProfileMissing | Invalid | NotAllowed | PinRefusal | None:
        """None when somebody else changed it meanwhile: what is allowed was judged by how it was before."""
        before = await self._own_profile(account.id, profile_id)
        if before is None:
            return ProfileMissing(profile_id)
        draft = _changed(before, change, self.rules)
        refusal = check_management(viewer, before, draft)
        if refusal is not None:
            return NotAllowed(refusal)
        problems = check_profile(draft, self.rules)
        if problems:
            return Invalid(problems)
        after = replace(
            before,
            name=draft.name,
            avatar=draft.avatar,
            is_kids=draft.is_kids,
            maturity_limit=draft.maturity_limit,
            language=draft.language,
        )
        if after == before:
            return before
        pin_refusal = await self.pins.check_change(account, before, after, change.pin, now)
        if pin_refusal is not None:
            return pin_refusal
        events = [profile_changed(after, account, now, await self._granted(account.id))]
        if not await self.accounts.update_profile(before, after, events):
            return None
        self.on_commit()
        return after

    async def delete_profile(
        self, viewer: Viewer, account: Account | None, profile_id: ProfileId, now: datetime
    ) -> Account | ProfileMissing | NotAllowed | NotSignedIn:
        """Delete a profile with its list and ratings; the account's last one stays."""
        if account is None:
            return NotSignedIn()
        before = await self._own_profile(account.id, profile_id)
        if before is None:
            return ProfileMissing(profile_id)
        refusal = check_management(viewer, before, None)
        if refusal is not None:
            return NotAllowed(refusal)
        deletion = await self.accounts.delete_profile(account.id, profile_id, [profile_deleted(before, account, now)])
        match deletion:
            case Deletion.MISSING:
                return ProfileMissing(profile_id)
            case Deletion.LAST:
                return NotAllowed("an account keeps at least one profile; create another one first")
            case Deletion.DONE:
                self.on_commit()
                return account

    async def _granted(self, account_id: AccountId) -> frozenset[Purpose]:
        return granted_purposes(await self.preferring.standing(account_id))

    async def _own_profile(self, account_id: AccountId, profile_id: ProfileId) -> Profile | None:
        profile = (await self.accounts.profiles_by_id([profile_id])).get(profile_id)
        return profile if profile is not None and profile.account_id == account_id else None


def _changed(before: Profile, change: ProfileChange, rules: HouseholdRules) -> ProfileDraft:
    """The profile as it would be; one that becomes a kids profile gets no higher limit than those may have."""
    is_kids = before.is_kids if change.is_kids is None else change.is_kids
    limit = before.maturity_limit if change.maturity_limit is None else change.maturity_limit
    if is_kids and not before.is_kids and change.maturity_limit is None:
        limit = min(limit, rules.kids_max_maturity)
    return ProfileDraft(
        name=before.name if change.name is None else normalise_name(change.name),
        avatar=before.avatar if change.avatar is None else change.avatar,
        is_kids=is_kids,
        maturity_limit=limit,
        language=before.language if change.language is None else _tag(change.language),
    )


def _tag(text: str) -> str:
    """In normal form; what is no tag stays as it is, for the check to name it."""
    return normalise_language(text) or text
