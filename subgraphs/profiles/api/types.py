# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""The types that profiles owns, and its part of Title."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, cast

import strawberry
import strawberry.federation

from subgraphs.kernel.ids import AccountId, ProfileId, TitleId
from subgraphs.kernel.pagination import Page, PageInfo, page_info, read_page_request
from subgraphs.profiles.api.billing_types import (
    DeviceConnection,
    PaymentConnection,
    PaymentMethod,
    Subscription,
    device_key,
    payment_key,
    read_place,
)
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.people_types import Consent, NotificationConnection, Preferences, RatingAverage
from subgraphs.profiles.api.privacy_types import AccountErasure, AccountExport
from subgraphs.profiles.domain import accounts as domain
from subgraphs.profiles.domain.accounts import PlanId
from subgraphs.profiles.domain.lists import ListEntry, Thumb, TitleMarks
from subgraphs.profiles.domain.notifications import MailCategory
from subgraphs.profiles.domain.notifications import Notification as Message
from subgraphs.profiles.services.viewer_lists import visible_entries

__all__ = ["Account", "Plan", "Profile", "Rating", "Session", "Subscription", "Title", "TitleConnection", "Viewer"]

ValueT = TypeVar("ValueT")

MAX_LIST_PAGE = 50


@strawberry.type(description="The viewer's own rating of a title.")
class Rating:
    """1 to 5 stars."""

    stars: int
    rated_at: str


@strawberry.federation.interface_object(name="Title", keys=["id"])
class Title:
    """What the viewer's profile noted about a title; whether the title exists and may be seen is titles' to say.

    `marks` is there from the start when the gateway asks for entities: then the fields are plain values, which halves
    the cost of a page of titles.
    """

    id: strawberry.ID
    marks: strawberry.Private[TitleMarks | None] = None

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Title":  # noqa: A002  # the key field's name
        """A title itself is never looked up here; what was noted about all of them is one query."""
        return cls(id=id, marks=await info.context.marks(TitleId(id)))

    @strawberry.field(description="On the selected profile's list; false without a profile.")
    def in_my_list(self, info: Info) -> bool | None:
        """Batched over the request's titles."""
        return self._read(info, lambda marks: marks.is_in_list)

    @strawberry.field(description="The selected profile's own rating; null when there is none.")
    def rating(self, info: Info) -> Rating | None:
        """Batched with in_my_list."""
        return self._read(info, _rating)

    @strawberry.field(description="What the selected profile thinks in one gesture; null when it did not say.")
    def thumb(self, info: Info) -> Thumb | None:
        """Batched with in_my_list."""
        return self._read(info, lambda marks: marks.thumb)

    @strawberry.field(description="All profiles' ratings; null when there are none.")
    async def average_rating(self, info: Info) -> RatingAverage | None:
        """Batched over the request's titles."""
        totals = await info.context.totals(TitleId(self.id))
        return None if totals is None else RatingAverage.from_domain(totals)

    def _read(self, info: Info, read: Callable[[TitleMarks], ValueT]) -> ValueT:
        if self.marks is not None:
            return read(self.marks)

        async def load() -> ValueT:
            return read(await info.context.marks(TitleId(self.id)))

        # graphql-core awaits what a plain resolver returns when it can be awaited.
        return cast("ValueT", load())


@strawberry.federation.type(shareable=True, description="One title in a list.")
class TitleEdge:
    """Relay's edge."""

    cursor: str
    node: Title | None


@strawberry.federation.type(shareable=True, description="A page of titles.")
class TitleConnection:
    """Relay's connection."""

    edges: list[TitleEdge]
    page_info: PageInfo

    @classmethod
    def from_page(cls, page: Page[ListEntry]) -> "TitleConnection":
        """Edges in the page's order."""
        edges = [
            TitleEdge(cursor=cursor, node=Title(id=strawberry.ID(entry.title_id)))
            for entry, cursor in zip(page.items, page.cursors, strict=True)
        ]
        return cls(edges=edges, page_info=page_info(page))


@strawberry.type(description="What an account pays for. Prices are per 30 days.")
class Plan:
    """One row of the plan table."""

    id: PlanId
    display_name: str
    max_height_px: int = strawberry.field(description="The tallest picture that is streamed.")
    max_streams: int = strawberry.field(description="How many may watch at once.")
    max_download_devices: int
    price_cents: int
    currency: str

    @classmethod
    def from_domain(cls, plan: domain.Plan) -> "Plan":
        """Field by field."""
        return cls(
            id=plan.id,
            display_name=plan.display_name,
            max_height_px=plan.max_height_px,
            max_streams=plan.max_streams,
            max_download_devices=plan.max_download_devices,
            price_cents=plan.price_cents,
            currency=plan.currency,
        )


@strawberry.federation.type(keys=["id"], description="One viewer of an account.")
class Profile:
    """A view on a profile record; only ever made for the account's own viewers."""

    record: strawberry.Private[domain.Profile]

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Profile | None":  # noqa: A002
        """Null for unknown profiles and for those of other accounts alike."""
        account = await info.context.signed_in()
        profile = await info.context.profile(ProfileId(id))
        if account is None or profile is None or profile.account_id != account.id:
            return None
        return cls(record=profile)

    @strawberry.field
    def id(self) -> strawberry.ID:
        """The profile's id."""
        return strawberry.ID(self.record.id)

    @strawberry.field
    def name(self) -> str:
        """At most 50 characters."""
        return self.record.name

    @strawberry.field
    def avatar(self) -> str:
        """A name that clients map to a picture."""
        return self.record.avatar

    @strawberry.field
    def is_kids(self) -> bool:
        """Whether only titles made for kids are shown."""
        return self.record.is_kids

    @strawberry.field(description="Highest certificate age shown, 0 to 18.")
    def maturity_limit(self) -> int:
        """In years."""
        return self.record.maturity_limit

    @strawberry.field
    def language(self) -> str:
        """BCP 47."""
        return self.record.language

    @strawberry.field(description="Whether selecting this profile needs a PIN.")
    async def has_pin(self, info: Info) -> bool:
        """Batched over profiles; of the PIN itself nothing ever leaves."""
        return await info.context.has_pin(self.record.id)

    @strawberry.field(description="Languages, subtitles, autoplay and data use.")
    async def preferences(self, info: Info) -> Preferences:
        """Batched over profiles."""
        return Preferences.from_domain(await info.context.preferences(self.record.id))

    @strawberry.field(description="Newest first; first is at most 50. Titles that may not be seen are left out.")
    async def my_list(self, info: Info, first: int = 20, after: str | None = None) -> TitleConnection:
        """The whole (bounded) list is loaded, batched over profiles, then filtered and cut."""
        request = read_page_request(first, after, max_first=MAX_LIST_PAGE, key_length=2)
        context = info.context
        entries = visible_entries(
            await context.list_entries(self.record.id), self.record, await context.current_viewer(), context.now
        )
        if request.after is not None:
            entries = tuple(entry for entry in entries if _list_key(entry) < request.after)
        return TitleConnection.from_page(Page.cut(entries, request, _list_key))


@strawberry.federation.type(keys=["id"], description="A customer's account.")
class Account:
    """A view on an account record; only ever made for the account's own viewers."""

    record: strawberry.Private[domain.Account]

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> "Account | None":  # noqa: A002
        """Null for every account but the viewer's own."""
        account = await info.context.signed_in()
        return cls(record=account) if account is not None and account.id == AccountId(id) else None

    @strawberry.field
    def id(self) -> strawberry.ID:
        """The account's id."""
        return strawberry.ID(self.record.id)

    @strawberry.field
    def email(self) -> str:
        """Normalised."""
        return self.record.email

    @strawberry.field
    def country(self) -> str:
        """ISO 3166 alpha-2."""
        return self.record.country

    @strawberry.field
    async def plan(self, info: Info) -> Plan:
        """From the plan table."""
        return Plan.from_domain(await info.context.plan(self.record.plan_id, self.record.country))

    @strawberry.field
    def subscription(self, info: Info) -> Subscription:
        """As it stands now."""
        return Subscription.from_domain(self.record.subscription, info.context.now)

    @strawberry.field(description="Null without one, and for whoever may not manage the account.")
    async def payment_method(self, info: Info) -> PaymentMethod | None:
        """Batched over accounts."""
        if not await info.context.manages_account():
            return None
        customer = await info.context.customer(self.record.id)
        return None if customer is None else PaymentMethod.from_domain(customer.method)

    @strawberry.field(
        description="Newest first; first is at most 50. Null for whoever may not manage the account: "
        "kids profiles and those with a maturity limit."
    )
    async def payments(self, info: Info, first: int = 20, after: str | None = None) -> PaymentConnection | None:
        """One statement for the page."""
        request = read_page_request(first, after, max_first=MAX_LIST_PAGE, key_length=2)
        if not await info.context.manages_account():
            return None
        store = info.context.services.billing.payments
        found = await store.newest_payments(self.record.id, first + 1, read_place(request.after))
        return PaymentConnection.from_page(Page.cut(found, request, payment_key))

    @strawberry.field(
        description="Last seen first; first is at most 50. Null for whoever may not manage the account: "
        "kids profiles and those with a maturity limit."
    )
    async def devices(self, info: Info, first: int = 20, after: str | None = None) -> DeviceConnection | None:
        """One statement for the page and one for all sessions on it."""
        request = read_page_request(first, after, max_first=MAX_LIST_PAGE, key_length=2)
        context = info.context
        if not await context.manages_account():
            return None
        found = await context.services.devices.store.devices_page(self.record.id, first + 1, read_place(request.after))
        devices = await asyncio.gather(*(context.device(record) for record in found))
        return DeviceConnection.from_page(Page.cut(devices, request, device_key))

    @strawberry.field(
        description="Copies of the account's data that can be fetched or are being made, newest first, at most 10. "
        "Null for whoever may not manage the account."
    )
    async def exports(self, info: Info) -> list[AccountExport] | None:
        """One statement; the texts are read by AccountExport.part."""
        if not await info.context.manages_account():
            return None
        found = await info.context.services.privacy.exports_of(self.record.id, info.context.now)
        return [AccountExport(record=request) for request in found]

    @strawberry.field(description="The erasure that waits or runs; null without one.")
    async def erasure(self, info: Info) -> AccountErasure | None:
        """Also null for whoever may not manage the account."""
        if not await info.context.manages_account():
            return None
        found = await info.context.services.privacy.erasure_of(self.record.id)
        return None if found is None else AccountErasure(record=found)

    @strawberry.field(description="Oldest first.")
    async def profiles(self, info: Info) -> list[Profile]:
        """At most five."""
        return [Profile(record=record) for record in await info.context.profiles(self.record.id)]

    @strawberry.field
    def created_at(self) -> str:
        """ISO 8601."""
        return self.record.created_at.isoformat()

    @strawberry.field(description="Where the account stands on every purpose.")
    async def consents(self, info: Info) -> list[Consent]:
        """One per purpose."""
        return [Consent.from_domain(consent) for consent in await info.context.consents(self.record.id)]

    @strawberry.field(description="Mails that the account does not want.")
    async def muted_mails(self, info: Info) -> list[MailCategory]:
        """In their order."""
        muted = (await info.context.mail_preferences(self.record.id)).muted
        return [category for category in MailCategory if category in muted]

    @strawberry.field(description="The inbox, newest first; first is at most 50. Null for a kids profile.")
    async def notifications(
        self, info: Info, first: int = 20, after: str | None = None
    ) -> NotificationConnection | None:
        """In the account's language."""
        context = info.context
        request = read_page_request(first, after, max_first=MAX_LIST_PAGE, key_length=2)
        if (await context.manager()).is_kids:
            return None
        place = read_place(request.after)
        services = context.services
        found = await services.notices.notifications.inbox(self.record.id, first + 1, place)
        written = []
        for message in found:
            text = services.mailing.texts.write(message.kind, message.language, message.details)
            written.append((message, text.subject, text.body))
        return NotificationConnection.from_page(Page.cut(written, request, lambda item: _message_key(item[0])))

    @strawberry.field(description="Messages that nobody read yet. Null for a kids profile.")
    async def unread_notification_count(self, info: Info) -> int | None:
        """Over the whole inbox."""
        if (await info.context.manager()).is_kids:
            return None
        return await info.context.services.notices.notifications.unread_count(self.record.id)


@strawberry.type(description="Who is asking.")
class Viewer:
    """The signed-in account and the selected profile."""

    account: Account
    profile: Profile | None = strawberry.field(description="The selected profile; null until selectProfile.")


@strawberry.type(description="Tokens of a session. Both replace those from before: a refresh token works once.")
class Session:
    """What a client keeps."""

    access_token: str = strawberry.field(description="Send it as Authorization: Bearer …; good for 15 minutes.")
    access_token_expires_at: str
    refresh_token: str = strawberry.field(description="For refreshSession; good for 30 days.")
    account: Account
    profile: Profile | None


def _rating(marks: TitleMarks) -> Rating | None:
    return (
        None if marks.rating is None else Rating(stars=marks.rating.stars, rated_at=marks.rating.rated_at.isoformat())
    )


def _list_key(entry: ListEntry) -> tuple[str, str]:
    """The order of My List, largest first; one fixed width, so that texts compare as instants do."""
    return (entry.added_at.isoformat(timespec="microseconds"), entry.title_id)


def _message_key(message: Message) -> tuple[str, str]:
    return (message.created_at.isoformat(), message.id)
