"""The request's context in this subgraph: the services, and the loaders that batch what fields ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from strawberry.types import Info as StrawberryInfo

from common.tokens import Viewer
from subgraphs.kernel.context import RequestContext
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.profiles.api.billing_types import Device as DeviceView
from subgraphs.profiles.domain.account_holders import check_holder
from subgraphs.profiles.domain.accounts import Account, Plan, PlanId, Profile
from subgraphs.profiles.domain.consents import Consent, standing_consents
from subgraphs.profiles.domain.devices import Device
from subgraphs.profiles.domain.lists import NO_MARKS, ListEntry, RatingTotals, TitleMarks
from subgraphs.profiles.domain.notifications import MailPreferences
from subgraphs.profiles.domain.preferences import DEFAULT_PREFERENCES, Preferences
from subgraphs.profiles.ports import AccountStore, ListStore
from subgraphs.profiles.ports_billing import BillingCustomer
from subgraphs.profiles.services.asker import Asker
from subgraphs.profiles.services.billing import Billing
from subgraphs.profiles.services.billing_rounds import BillingRounds
from subgraphs.profiles.services.devices import Devices
from subgraphs.profiles.services.households import Households
from subgraphs.profiles.services.mailing import Mailing
from subgraphs.profiles.services.notices import Notices
from subgraphs.profiles.services.passwords import Passwords
from subgraphs.profiles.services.pins import Pins
from subgraphs.profiles.services.preferring import Preferring
from subgraphs.profiles.services.privacy import Privacy
from subgraphs.profiles.services.signing_in import SigningIn
from subgraphs.profiles.services.unsubscribing import Unsubscribing
from subgraphs.profiles.services.viewer_lists import ViewerLists

__all__ = ["Info", "ProfilesContext", "ProfilesServices"]


@dataclass(frozen=True, slots=True)
class ProfilesServices:
    """What a started subgraph offers its resolvers, the demo and the tests."""

    signing_in: SigningIn
    households: Households
    viewer_lists: ViewerLists
    passwords: Passwords
    pins: Pins
    preferring: Preferring
    notices: Notices
    mailing: Mailing
    privacy: Privacy
    accounts: AccountStore
    lists: ListStore
    billing: Billing
    billing_rounds: BillingRounds
    devices: Devices
    unsubscribing: Unsubscribing


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

    async def manager(self) -> Viewer:
        """The viewer for whom profiles and the account are managed.

        An access token from before its session selected a profile counts as that profile: who hands a screen to a
        child must not leave the account's rights behind in it.
        """
        if self.viewer.session_id is None:
            return self.viewer
        if self.viewer.profile_id is not None:
            # Of a profile that is gone the limits stay that the token has.
            return self.viewer if await self.selected_profile() is None else await self.current_viewer()
        session = await self.services.signing_in.sessions.live_session(SessionId(self.viewer.session_id))
        selected = None if session is None else session.profile_id
        profile = None if selected is None else await self.profile(selected)
        if profile is None:
            return self.viewer
        return replace(self.viewer, profile_id=profile.id, is_kids=profile.is_kids, maturity=profile.maturity_limit)

    async def asker(self) -> Asker:
        """Who asks for a change of the account."""
        return Asker(await self.manager(), await self.signed_in(), self.head.client_address, self.now)

    async def profile(self, profile_id: ProfileId) -> Profile | None:
        """By id, whosever it is: callers compare the account."""
        return await self.loaders.by_key(self.services.accounts.profiles_by_id).load(profile_id)

    async def profiles(self, account_id: AccountId) -> tuple[Profile, ...]:
        """An account's profiles, oldest first."""
        return await self.loaders.by_key(self.services.accounts.profiles_by_account).load(account_id) or ()

    async def list_entries(self, profile_id: ProfileId) -> tuple[ListEntry, ...]:
        """A profile's whole list, newest first, unfiltered."""
        return await self.loaders.by_key(self.services.lists.entries_by_profile).load(profile_id) or ()

    async def plan(self, plan_id: PlanId, country: str) -> Plan:
        """A plan by id, at a country's price."""
        plan = await self.loaders.by_key(self._plans_by_place).load((plan_id, country))
        if plan is None:
            raise LookupError(f"plan {plan_id} is not in the plan table")
        return plan

    async def manages_account(self) -> bool:
        """Whether the viewer may see what the account pays and which devices it has."""
        return check_holder(await self.manager()) is None

    async def customer(self, account_id: AccountId) -> BillingCustomer | None:
        """How an account pays; None without a payment method."""
        return await self.loaders.by_key(self.services.billing.payments.customers_by_account).load(account_id)

    async def device(self, record: Device) -> DeviceView:
        """A device with its sessions, batched over devices."""
        store = self.services.devices.store
        signed_in = await self.loaders.by_key(store.sessions_by_device).load(record.id)
        return DeviceView(record=record, signed_in=signed_in or (), viewer=self.viewer)

    async def marks(self, title_id: TitleId) -> TitleMarks:
        """What the viewer's profile noted about a title; nothing without a profile."""
        if self.viewer.profile_id is None:
            return NO_MARKS
        return await self.loaders.by_key(self._marks_by_title).load(title_id) or NO_MARKS

    async def totals(self, title_id: TitleId) -> RatingTotals | None:
        """All profiles' ratings of a title; None when there are none."""
        return await self.loaders.by_key(self.services.lists.totals_by_title).load(title_id)

    async def preferences(self, profile_id: ProfileId) -> Preferences:
        """A profile's preferences, with the defaults where nothing was ever set."""
        store = self.services.preferring.preferences
        return await self.loaders.by_key(store.preferences_by_profile).load(profile_id) or DEFAULT_PREFERENCES

    async def has_pin(self, profile_id: ProfileId) -> bool:
        """Whether a profile has a PIN."""
        return await self.loaders.by_key(self._locked_by_profile).load(profile_id) or False

    async def consents(self, account_id: AccountId) -> tuple[Consent, ...]:
        """Where an account stands on every purpose."""
        store = self.services.preferring.consents
        return standing_consents(await self.loaders.by_key(store.records_by_account).load(account_id) or ())

    async def mail_preferences(self, account_id: AccountId) -> MailPreferences:
        """Which mails an account does not want."""
        store = self.services.preferring.preferences
        return await self.loaders.by_key(store.mail_preferences).load(account_id) or MailPreferences()

    def forget(self) -> None:
        """Drop what was loaded: a write comes, and what is read after it must be new."""
        self.loaders.clear()
        self._signed_in = None

    async def _plans_by_place(self, places: Sequence[tuple[PlanId, str]]) -> Mapping[tuple[PlanId, str], Plan]:
        found: dict[tuple[PlanId, str], Plan] = {}
        # A viewer sees one account's country, so that this is one statement.
        for country in {country for _, country in places}:
            found |= {(plan.id, country): plan for plan in await self.services.accounts.plans(country)}
        return found

    async def _locked_by_profile(self, ids: Sequence[ProfileId]) -> Mapping[ProfileId, bool]:
        return dict.fromkeys(await self.services.pins.pins.locked_profiles(ids), True)

    async def _marks_by_title(self, ids: Sequence[TitleId]) -> Mapping[TitleId, TitleMarks]:
        profile = await self.selected_profile()
        return {} if profile is None else await self.services.lists.marks(profile.id, ids)


Info = StrawberryInfo[ProfilesContext, None]
