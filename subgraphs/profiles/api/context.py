"""The request's context in this subgraph: the services, and the loaders that batch what fields ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from strawberry.types import Info as StrawberryInfo

from common.tokens import Viewer
from subgraphs.kernel.context import RequestContext
from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.profiles.domain.accounts import Account, Plan, Profile
from subgraphs.profiles.domain.lists import NO_MARKS, ListEntry, TitleMarks
from subgraphs.profiles.ports import AccountStore, ListStore
from subgraphs.profiles.services.households import Households
from subgraphs.profiles.services.signing_in import SigningIn
from subgraphs.profiles.services.viewer_lists import ViewerLists

__all__ = ["Info", "ProfilesContext", "ProfilesServices"]


@dataclass(frozen=True, slots=True)
class ProfilesServices:
    """What a started subgraph offers its resolvers, the demo and the tests."""

    signing_in: SigningIn
    households: Households
    viewer_lists: ViewerLists
    accounts: AccountStore
    lists: ListStore


@dataclass(slots=True, kw_only=True)
class ProfilesContext(RequestContext):
    """One request. What is loaded stays for the request; `forget` is for mutations."""

    services: ProfilesServices
    _signed_in: asyncio.Task[Account | None] | None = field(default=None, init=False)

    async def signed_in(self) -> Account | None:
        """The viewer's account, looked up once."""
        if self._signed_in is None:
            self._signed_in = asyncio.create_task(self.services.households.signed_in(self.viewer))
        return await self._signed_in

    async def selected_profile(self) -> Profile | None:
        """The viewer's profile as it is now; None without one, signed out, or when it was deleted since."""
        account = await self.signed_in()
        if account is None or self.viewer.profile_id is None:
            return None
        profile = await self.profile(ProfileId(self.viewer.profile_id))
        return profile if profile is not None and profile.account_id == account.id else None

    async def current_viewer(self) -> Viewer:
        """The viewer with the selected profile's limits as they are now.

        The token's are up to a quarter of an hour old, and this subgraph knows better.
        """
        profile = await self.selected_profile()
        if profile is None:
            # No profile, and none of the rights of the one that may be gone; its limits stay.
            return replace(self.viewer, profile_id=None)
        return replace(self.viewer, is_kids=profile.is_kids, maturity=profile.maturity_limit, language=profile.language)

    async def profile(self, profile_id: ProfileId) -> Profile | None:
        """By id, whosever it is: callers compare the account."""
        return await self.loaders.by_key(self.services.accounts.profiles_by_id).load(profile_id)

    async def profiles(self, account_id: AccountId) -> tuple[Profile, ...]:
        """An account's profiles, oldest first."""
        return await self.loaders.by_key(self.services.accounts.profiles_by_account).load(account_id) or ()

    async def list_entries(self, profile_id: ProfileId) -> tuple[ListEntry, ...]:
        """A profile's whole list, newest first, unfiltered."""
        return await self.loaders.by_key(self.services.lists.entries_by_profile).load(profile_id) or ()

    async def plan(self, plan_id: str) -> Plan:
        """A plan by id."""
        plan = await self.loaders.by_key(self._plans_by_id).load(plan_id)
        if plan is None:
            raise LookupError(f"plan {plan_id} is not in the plan table")
        return plan

    async def marks(self, title_id: TitleId) -> TitleMarks:
        """What the viewer's profile noted about a title; nothing without a profile."""
        if self.viewer.profile_id is None:
            return NO_MARKS
        return await self.loaders.by_key(self._marks_by_title).load(title_id) or NO_MARKS

    def forget(self) -> None:
        """Drop what was loaded: a write comes, and what is read after it must be new."""
        self.loaders.clear()
        self._signed_in = None

    async def _plans_by_id(self, ids: Sequence[str]) -> Mapping[str, Plan]:
        wanted = set(ids)
        return {plan.id.value: plan for plan in await self.services.accounts.plans() if plan.id.value in wanted}

    async def _marks_by_title(self, ids: Sequence[TitleId]) -> Mapping[TitleId, TitleMarks]:
        profile = await self.selected_profile()
        return {} if profile is None else await self.services.lists.marks(profile.id, ids)


Info = StrawberryInfo[ProfilesContext, None]
