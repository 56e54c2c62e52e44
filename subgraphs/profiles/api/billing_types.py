"""What GraphQL shows of money and devices: subscriptions, payments, payment methods, devices."""

from __future__ import annotations

from datetime import UTC, datetime

import strawberry

from common.errors import ErrorKind, ServiceError
from common.tokens import Viewer
from subgraphs.kernel.pagination import CursorKey, Page, PageInfo, page_info
from subgraphs.profiles.domain import devices as devices_domain
from subgraphs.profiles.domain import payments as payments_domain
from subgraphs.profiles.domain import subscriptions as subscriptions_domain
from subgraphs.profiles.domain.accounts import PlanId, SubscriptionStatus
from subgraphs.profiles.domain.accounts import Subscription as SubscriptionRecord
from subgraphs.profiles.domain.devices import DeviceFormFactor
from subgraphs.profiles.domain.payments import PaymentKind, PaymentStatus
from subgraphs.profiles.domain.subscriptions import ChangeMoment

__all__ = [
    "Device",
    "DeviceConnection",
    "Payment",
    "PaymentConnection",
    "PaymentMethod",
    "PlanChangePreview",
    "SignedInSession",
    "Subscription",
    "device_key",
    "payment_key",
    "read_place",
]

strawberry.enum(PlanId, description="The plans on offer.")
strawberry.enum(SubscriptionStatus, description="Only ACTIVE, and CANCELLED until the paid period ends, may play.")
strawberry.enum(PaymentKind, description="What is paid for.")
strawberry.enum(PaymentStatus, description="PENDING ends by itself: the provider is asked until it is known.")
strawberry.enum(ChangeMoment, name="PlanChangeMoment", description="When another plan begins.")
strawberry.enum(DeviceFormFactor, description="What kind of device.")


@strawberry.type(description="Whether the account is paid for, and until when.")
class Subscription:
    """The state that counts now."""

    status: SubscriptionStatus
    renews_at: str | None = strawberry.field(description="The next charge; null unless the subscription is ACTIVE.")
    auto_renew: bool = strawberry.field(description="Cancelling turns it off, resuming on.")
    current_period_ends_at: str | None = strawberry.field(description="Until when it is paid, or free as a trial.")
    is_trial: bool = strawberry.field(description="The current period is free.")
    pending_plan: PlanId | None = strawberry.field(description="The plan from the next period on, where it changes.")
    grace_period_ends_at: str | None = strawberry.field(
        description="While SUSPENDED: until when a payment brings the subscription back."
    )

    @classmethod
    def from_domain(cls, record: SubscriptionRecord, now: datetime) -> Subscription:
        """As it stands at `now`."""
        return cls(
            status=record.status_at(now),
            renews_at=_text(record.renews_at),
            auto_renew=record.auto_renews and record.status_at(now) is not SubscriptionStatus.EXPIRED,
            current_period_ends_at=_text(record.period_ends_at),
            is_trial=record.is_trial,
            pending_plan=record.pending_plan_id,
            grace_period_ends_at=_text(record.grace_ends_at),
        )


@strawberry.type(description="A charge, or one that was given back.")
class Payment:
    """One payment as it was last written down."""

    id: strawberry.ID
    kind: PaymentKind
    status: PaymentStatus
    amount_cents: int = strawberry.field(description="In the currency's minor unit: cents, pence, whole yen.")
    currency: str = strawberry.field(description="ISO 4217.")
    plan: PlanId
    at: str
    failure: str | None = strawberry.field(description="Why a FAILED payment failed.")
    refunded_payment_id: strawberry.ID | None = strawberry.field(description="The payment that a REFUND gives back.")

    @classmethod
    def from_domain(cls, payment: payments_domain.Payment) -> Payment:
        """Field by field."""
        refunded = payment.refunded_payment_id
        return cls(
            id=strawberry.ID(payment.id),
            kind=payment.kind,
            status=payment.status,
            amount_cents=payment.amount.amount_minor,
            currency=payment.amount.currency,
            plan=payment.plan_id,
            at=payment.created_at.isoformat(),
            failure=payment.failure if payment.status is PaymentStatus.FAILED else None,
            refunded_payment_id=None if refunded is None else strawberry.ID(refunded),
        )


@strawberry.type(description="One payment in a list.")
class PaymentEdge:
    """Relay's edge."""

    cursor: str
    node: Payment


@strawberry.type(description="A page of payments.")
class PaymentConnection:
    """Relay's connection."""

    edges: list[PaymentEdge]
    page_info: PageInfo

    @classmethod
    def from_page(cls, page: Page[payments_domain.Payment]) -> PaymentConnection:
        """Edges in the page's order."""
        edges = [
            PaymentEdge(cursor=cursor, node=Payment.from_domain(payment))
            for payment, cursor in zip(page.items, page.cursors, strict=True)
        ]
        return cls(edges=edges, page_info=page_info(page))


@strawberry.type(description="How the account pays, as the payment provider describes it.")
class PaymentMethod:
    """The card's number is never here: the provider alone knows it."""

    brand: str
    last_four: str

    @classmethod
    def from_domain(cls, method: payments_domain.PaymentMethod) -> PaymentMethod:
        """Without the token."""
        return cls(brand=method.brand, last_four=method.last_four)


@strawberry.type(description="What changing the plan would cost, and when it would begin.")
class PlanChangePreview:
    """A quote: the price falls as the period goes by."""

    plan: PlanId
    moment: ChangeMoment
    takes_effect_at: str
    amount_cents: int = strawberry.field(description="Charged at once; give it to changePlan as maxChargeCents.")
    next_amount_cents: int = strawberry.field(description="Charged at the next renewal.")
    currency: str

    @classmethod
    def from_domain(cls, change: subscriptions_domain.PlanChange) -> PlanChangePreview:
        """Field by field."""
        return cls(
            plan=change.plan_id,
            moment=change.moment,
            takes_effect_at=change.takes_effect_at.isoformat(),
            amount_cents=change.charge.amount_minor,
            next_amount_cents=change.next_charge.amount_minor,
            currency=change.next_charge.currency,
        )


@strawberry.type(description="One log-in on a device.")
class SignedInSession:
    """Ends by logOut, by removing the device, or when its refresh token is too old."""

    opened_at: str
    is_current: bool


@strawberry.type(description="A device that the account was used on.")
class Device:
    """Known from the log-in on which the client named itself."""

    record: strawberry.Private[devices_domain.Device]
    signed_in: strawberry.Private[tuple[devices_domain.SignedInSession, ...]]
    viewer: strawberry.Private[Viewer]

    @strawberry.field
    def id(self) -> strawberry.ID:
        """The server's id, not the client's."""
        return strawberry.ID(self.record.id)

    @strawberry.field
    def name(self) -> str:
        """As the holder named it, or as the client did."""
        return self.record.name

    @strawberry.field
    def form_factor(self) -> DeviceFormFactor:
        """What kind."""
        return self.record.form_factor

    @strawberry.field
    def first_seen_at(self) -> str:
        """ISO 8601."""
        return self.record.first_seen_at.isoformat()

    @strawberry.field
    def last_seen_at(self) -> str:
        """ISO 8601; when it last logged in, refreshed or selected a profile."""
        return self.record.last_seen_at.isoformat()

    @strawberry.field
    def is_current(self) -> bool:
        """Whether this request comes from it."""
        return any(session.id == self.viewer.session_id for session in self.signed_in)

    @strawberry.field
    def sessions(self) -> list[SignedInSession]:
        """Newest first; bounded by the sessions that an account may have."""
        return [
            SignedInSession(opened_at=session.opened_at.isoformat(), is_current=session.id == self.viewer.session_id)
            for session in self.signed_in
        ]


@strawberry.type(description="One device in a list.")
class DeviceEdge:
    """Relay's edge."""

    cursor: str
    node: Device


@strawberry.type(description="A page of devices.")
class DeviceConnection:
    """Relay's connection."""

    edges: list[DeviceEdge]
    page_info: PageInfo

    @classmethod
    def from_page(cls, page: Page[Device]) -> DeviceConnection:
        """Edges in the page's order."""
        edges = [
            DeviceEdge(cursor=cursor, node=device) for device, cursor in zip(page.items, page.cursors, strict=True)
        ]
        return cls(edges=edges, page_info=page_info(page))


def payment_key(payment: payments_domain.Payment) -> CursorKey:
    """The order of payments, largest first."""
    return (payment.created_at.isoformat(), payment.id)


def device_key(device: Device) -> CursorKey:
    """The order of devices, largest first."""
    return (device.record.last_seen_at.isoformat(), device.record.id)


def read_place(key: CursorKey | None) -> tuple[datetime, str] | None:
    """The instant and id in a cursor; raises ServiceError for a cursor of another list."""
    if key is None:
        return None
    try:
        return datetime.fromisoformat(str(key[0])).astimezone(UTC), str(key[1])
    except (ValueError, OverflowError):
        raise ServiceError(
            ErrorKind.INVALID_ARGUMENT, "after is a cursor of another list; pass an endCursor of this one"
        ) from None


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
