"""What an account is told outside its screens: kinds, who may mute which, and when a failed mail is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from subgraphs.kernel.ids import AccountId
from subgraphs.profiles.domain.consents import Purpose

__all__ = [
    "KIND_TABLE",
    "MAX_ATTEMPTS",
    "NEEDED_CONSENT",
    "Delivery",
    "KindRow",
    "MailCategory",
    "MailPreferences",
    "Notification",
    "NotificationKind",
    "retry_delay",
]

MAX_ATTEMPTS = 8
"""With the delays below about two hours: longer than a mail server's restart, shorter than the news stays news."""
_FIRST_DELAY = timedelta(minutes=1)
_MAX_DELAY = timedelta(hours=1)


class NotificationKind(StrEnum):
    """Everything that is told."""

    WELCOME = "WELCOME"
    NEW_SIGN_IN = "NEW_SIGN_IN"
    PIN_LOCKED = "PIN_LOCKED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105  # no password
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105  # no password
    EMAIL_CHANGE = "EMAIL_CHANGE"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    EXPORT_READY = "EXPORT_READY"
    ACCOUNT_ERASED = "ACCOUNT_ERASED"
    NEWS = "NEWS"
    DIGEST = "DIGEST"


class MailCategory(StrEnum):
    """What mails can be muted by."""

    SECURITY = "SECURITY"
    """Never muted: somebody else may be at the account."""
    SIGN_INS = "SIGN_INS"
    ACCOUNT = "ACCOUNT"
    MARKETING = "MARKETING"
    """Sent with consent only."""
    RECOMMENDATIONS = "RECOMMENDATIONS"
    """What is new for a profile; sent with consent only, which is another one."""


NEEDED_CONSENT = {MailCategory.MARKETING: Purpose.MARKETING, MailCategory.RECOMMENDATIONS: Purpose.DIGEST}
"""Mails that nobody gets who did not agree; asked when they are written, and again when they are sent."""


@dataclass(frozen=True, slots=True)
class KindRow:
    """`in_inbox`: shown in the account's inbox too. `details`: the names that its text may use.

    `made_when_sent`: those of them that are not kept, but made anew for each attempt. `kept`: what is kept for that,
    and no text uses.
    """

    category: MailCategory
    in_inbox: bool
    details: frozenset[str] = frozenset()
    made_when_sent: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()

    @property
    def given(self) -> frozenset[str]:
        """The details that come with a message."""
        return (self.details - self.made_when_sent) | self.kept


KIND_TABLE = {
    NotificationKind.WELCOME: KindRow(MailCategory.ACCOUNT, in_inbox=True),
    NotificationKind.NEW_SIGN_IN: KindRow(MailCategory.SIGN_INS, in_inbox=True, details=frozenset({"device", "at"})),
    NotificationKind.PIN_LOCKED: KindRow(
        MailCategory.SECURITY, in_inbox=True, details=frozenset({"profile", "minutes"})
    ),
    NotificationKind.PASSWORD_CHANGED: KindRow(MailCategory.SECURITY, in_inbox=True),
    NotificationKind.PASSWORD_RESET: KindRow(
        MailCategory.SECURITY,
        in_inbox=False,
        details=frozenset({"code", "minutes"}),
        made_when_sent=frozenset({"code"}),
    ),
    NotificationKind.EMAIL_CHANGE: KindRow(
        MailCategory.SECURITY,
        in_inbox=False,
        details=frozenset({"code", "minutes"}),
        made_when_sent=frozenset({"code"}),
    ),
    NotificationKind.EMAIL_CHANGED: KindRow(MailCategory.SECURITY, in_inbox=True),
    NotificationKind.PAYMENT_FAILED: KindRow(
        MailCategory.ACCOUNT, in_inbox=True, details=frozenset({"amount", "until"})
    ),
    NotificationKind.EXPORT_READY: KindRow(MailCategory.ACCOUNT, in_inbox=True, details=frozenset({"until"})),
    NotificationKind.ACCOUNT_ERASED: KindRow(MailCategory.SECURITY, in_inbox=False),
    NotificationKind.NEWS: KindRow(MailCategory.MARKETING, in_inbox=True, details=frozenset({"headline", "story"})),
    NotificationKind.DIGEST: KindRow(
        MailCategory.RECOMMENDATIONS,
        in_inbox=False,
        details=frozenset({"profile", "titles", "unsubscribe"}),
        made_when_sent=frozenset({"profile", "titles", "unsubscribe"}),
        kept=frozenset({"profileId", "picks"}),
    ),
}
"""A new kind needs its row here and its text in every language; a test holds both."""


class Delivery(StrEnum):
    """What became of the mail."""

    WAITING = "WAITING"
    SENT = "SENT"
    MUTED = "MUTED"
    """Not wanted by the account, at the latest when it was to be sent; in its inbox all the same."""
    DEAD = "DEAD"
    """Given up after MAX_ATTEMPTS."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One message. `key` makes it happen once: the same key for the same account is not kept again.

    `recipient` is the mail's address, fixed when it was written: a change of the account's address must not move what
    was meant for the old one. `details` fill the text; secrets are made when the mail is, and are never kept.
    """

    id: str
    account_id: AccountId
    kind: NotificationKind
    key: str
    recipient: str
    language: str
    details: Mapping[str, str]
    created_at: datetime
    read_at: datetime | None = None
    delivery: Delivery = Delivery.WAITING
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class MailPreferences:
    """Categories whose mails an account does not want; SECURITY can't be among them."""

    muted: frozenset[MailCategory] = field(default_factory=frozenset)

    def wants(self, category: MailCategory, granted: AbstractSet[Purpose]) -> bool:
        """Whether a mail of this category goes out to who agreed to these purposes."""
        if category is MailCategory.SECURITY:
            return True
        needed = NEEDED_CONSENT.get(category)
        return category not in self.muted and (needed is None or needed in granted)


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts (at least 1): doubling, at most an hour."""
    return min(_MAX_DELAY, _FIRST_DELAY * int(2 ** (attempts - 1)))
