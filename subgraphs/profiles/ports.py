"""What the services need from stores and from the password hasher; the adapters implement it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.profiles.domain.accounts import Account, Credentials, Plan, Profile, Subscription
from subgraphs.profiles.domain.consents import ConsentRecord, Purpose
from subgraphs.profiles.domain.lists import KnownTitle, ListEntry, Rating, RatingTotals, Thumb, TitleMarks
from subgraphs.profiles.domain.notifications import Delivery, MailPreferences, Notification
from subgraphs.profiles.domain.one_time_tokens import OneTimeToken, TokenPurpose
from subgraphs.profiles.domain.pins import PinLocked, PinRules, PinTry
from subgraphs.profiles.domain.preferences import Preferences
from subgraphs.profiles.domain.sessions import RefreshToken, Session, TokenState

__all__ = [
    "AccountStore",
    "ConsentStore",
    "CredentialStore",
    "Deletion",
    "ListStore",
    "Mail",
    "MailRefused",
    "MailSender",
    "NotificationStore",
    "OneTimeTokenStore",
    "PasswordHasher",
    "PinStore",
    "PreferenceStore",
    "ResetRequest",
    "SessionStore",
    "TitleFactsStore",
]


class Deletion(StrEnum):
    """What became of a profile to delete."""

    DONE = "DONE"
    MISSING = "MISSING"
    LAST = "LAST"


class AccountStore(Protocol):
    """Accounts, plans and profiles. Every write takes the events to tell of it, kept in the same transaction."""

    async def plans(self, country: str | None = None) -> tuple[Plan, ...]:
        """The plan table with the prices of a country (ISO 3166; None, or one without: everywhere), cheapest first."""
        ...

    async def create_account(
        self, account: Account, password_hash: str, profile: Profile, events: Sequence[Event]
    ) -> bool:
        """Both or neither; False when the e-mail is taken."""
        ...

    async def credentials(self, email: str) -> Credentials | None:
        """By normalised e-mail."""
        ...

    async def accounts_by_id(self, ids: Sequence[AccountId]) -> Mapping[AccountId, Account]:
        """Those that exist."""
        ...

    async def account_of_session(self, session_id: SessionId) -> Account | None:
        """Whose session it is; None when it is unknown or revoked."""
        ...

    async def replace_password_hash(self, account_id: AccountId, before: str, after: str) -> None:
        """Only when it is still `before`."""
        ...

    async def set_subscription(self, account_id: AccountId, subscription: Subscription) -> None:
        """Overwrite the subscription's state."""
        ...

    async def profiles_by_account(self, ids: Sequence[AccountId]) -> Mapping[AccountId, tuple[Profile, ...]]:
        """Oldest first; accounts without profiles may be left out."""
        ...

    async def profiles_by_id(self, ids: Sequence[ProfileId]) -> Mapping[ProfileId, Profile]:
        """Those that exist."""
        ...

    async def create_profile(self, profile: Profile, *, max_profiles: int, events: Sequence[Event]) -> bool:
        """False when the account has `max_profiles` already, however many try at once."""
        ...

    async def update_profile(self, before: Profile, after: Profile, events: Sequence[Event]) -> bool:
        """False when it is not as `before` any more, or gone."""
        ...

    async def delete_profile(self, account_id: AccountId, profile_id: ProfileId, events: Sequence[Event]) -> Deletion:
        """With its list and ratings; sessions that had selected it have none selected afterwards."""
        ...


class CredentialStore(Protocol):
    """What an account logs in with."""

    async def set_password(
        self, account_id: AccountId, password_hash: str, now: datetime, *, keep: SessionId | None
    ) -> None:
        """Replace the password and end all sessions but `keep`, both or neither."""
        ...

    async def set_email(self, account_id: AccountId, email: str) -> bool:
        """False when another account has it."""
        ...


class SessionStore(Protocol):
    """Sessions and their refresh tokens."""

    async def open(self, session: Session, token: RefreshToken, *, max_sessions: int) -> None:
        """Keep a new session; the account's oldest ones end when there are more than `max_sessions`."""
        ...

    async def knows_device(self, account_id: AccountId, device_name: str) -> bool:
        """Whether the account has had a session on a device of this name, ended ones included."""
        ...

    async def live_session(self, session_id: SessionId) -> Session | None:
        """None when unknown or revoked."""
        ...

    async def token_session(self, token_hash: str, now: datetime) -> tuple[TokenState, Session | None]:
        """The state of a token and its session (None when UNKNOWN); changes nothing."""
        ...

    async def rotate(
        self, token_hash: str, successor: RefreshToken, now: datetime
    ) -> tuple[TokenState, Session | None]:
        """Use a token: FRESH exactly once however many try at once, then `successor` is kept.

        A token that was USED ends its session for good.
        """
        ...

    async def replace_tokens(self, session_id: SessionId, successor: RefreshToken, now: datetime) -> bool:
        """Mark all the session's tokens as used and keep `successor`; False when the session has ended."""
        ...

    async def select_profile(self, session_id: SessionId, profile_id: ProfileId) -> None:
        """Remember the selection."""
        ...

    async def revoked_since(self, instant: datetime, limit: int) -> tuple[SessionId, ...]:
        """Sessions that were ended at that instant or later, newest first."""
        ...

    async def revoke(self, session_id: SessionId, now: datetime) -> bool:
        """End one session; False when it had ended."""
        ...

    async def revoke_all(self, account_id: AccountId, now: datetime) -> int:
        """End all of an account's sessions; how many."""
        ...


class ListStore(Protocol):
    """My List, ratings and thumbs."""

    async def entries_by_profile(self, ids: Sequence[ProfileId]) -> Mapping[ProfileId, tuple[ListEntry, ...]]:
        """Whole lists (they are bounded), newest first."""
        ...

    async def marks(self, profile_id: ProfileId, ids: Sequence[TitleId]) -> Mapping[TitleId, TitleMarks]:
        """What a profile noted about these titles; titles without any may be left out."""
        ...

    async def add_entry(
        self, profile_id: ProfileId, title_id: TitleId, at: datetime, *, max_entries: int, events: Sequence[Event]
    ) -> bool:
        """False when the list is full; nothing changes, and no event is kept, when the title is on it already."""
        ...

    async def remove_entry(self, profile_id: ProfileId, title_id: TitleId, events: Sequence[Event]) -> None:
        """Nothing changes, and no event is kept, when the title is not on it."""
        ...

    async def totals_by_title(self, ids: Sequence[TitleId]) -> Mapping[TitleId, RatingTotals]:
        """All profiles' ratings of these titles; titles without any are left out."""
        ...

    async def set_rating(
        self, profile_id: ProfileId, title_id: TitleId, rating: Rating | None, events: Sequence[Event]
    ) -> None:
        """Write or clear; the title's totals follow in the same transaction."""
        ...

    async def set_thumb(
        self, profile_id: ProfileId, title_id: TitleId, thumb: Thumb | None, at: datetime, events: Sequence[Event]
    ) -> None:
        """Write or clear."""
        ...

    async def rebuild_totals(self) -> int:
        """Count all ratings anew while none is written; how many titles have any."""
        ...


class TitleFactsStore(Protocol):
    """What titles' events told."""

    async def titles_by_id(self, ids: Sequence[TitleId]) -> Mapping[TitleId, KnownTitle]:
        """Those that are known, withdrawn ones included."""
        ...

    async def put_titles(self, titles: Sequence[KnownTitle], changed_at: datetime) -> None:
        """Write those that are not known in a newer form; repeating it changes nothing."""
        ...

    async def withdraw_titles(self, ids: Sequence[TitleId], changed_at: datetime) -> None:
        """Mark as withdrawn, unless a newer form is known."""
        ...


class PasswordHasher(Protocol):
    """Slow on purpose, and off the event loop."""

    async def hash(self, password: str) -> str:
        """The form to store; raises ServiceError(RESOURCE_EXHAUSTED) when too many are waiting."""
        ...

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether it matches; takes as long for `stored` None (no such account) as for a wrong password."""
        ...

    def needs_rehash(self, stored: str) -> bool:
        """Whether it was made with other parameters than today's."""
        ...


class PinStore(Protocol):
    """PINs of profiles and the guesses at them."""

    async def locked_profiles(self, ids: Sequence[ProfileId]) -> frozenset[ProfileId]:
        """Those that have a PIN."""
        ...

    async def begin_try(self, profile_id: ProfileId, now: datetime, rules: PinRules) -> PinTry | PinLocked | None:
        """Count a guess before it is looked at, however many come at once; None: the profile has no PIN."""
        ...

    async def forget_tries(self, profile_id: ProfileId, pin_hash: str) -> None:
        """The guess was right; only when the PIN is still the one that was guessed."""
        ...

    async def set_pin(self, profile_id: ProfileId, pin_hash: str | None, now: datetime) -> None:
        """Set, replace or (None) take away; tries are forgotten."""
        ...


class PreferenceStore(Protocol):
    """Preferences of profiles, and accounts' preferences about mails."""

    async def preferences_by_profile(self, ids: Sequence[ProfileId]) -> Mapping[ProfileId, Preferences]:
        """Those that were ever set."""
        ...

    async def set_preferences(self, profile_id: ProfileId, preferences: Preferences, now: datetime) -> None:
        """Overwrite."""
        ...

    async def mail_preferences(self, ids: Sequence[AccountId]) -> Mapping[AccountId, MailPreferences]:
        """Those that were ever set."""
        ...

    async def set_mail_preferences(self, account_id: AccountId, preferences: MailPreferences) -> None:
        """Overwrite."""
        ...


class ConsentStore(Protocol):
    """Decisions on consent; they are added and never changed."""

    async def records_by_account(self, ids: Sequence[AccountId]) -> Mapping[AccountId, tuple[ConsentRecord, ...]]:
        """Oldest first; accounts that never decided may be left out."""
        ...

    async def add_record(
        self, account_id: AccountId, record: ConsentRecord, *, max_records: int, events: Sequence[Event]
    ) -> bool:
        """False when the account has `max_records` already."""
        ...

    async def decided(
        self, purpose: Purpose, after: AccountId, limit: int, *, is_granted: bool
    ) -> Mapping[AccountId, ConsentRecord]:
        """The last decision on a purpose of the next accounts, by id above `after`, of which it was this one."""
        ...

    async def tell(self, events: Sequence[Event]) -> None:
        """Publish events that no write goes with."""
        ...


class NotificationStore(Protocol):
    """Messages to accounts: their inbox, and the outbox of their mails."""

    async def add(self, notification: Notification) -> bool:
        """False when the account has one with this key; then nothing changes."""
        ...

    async def claim_due(self, now: datetime, lease: timedelta, limit: int) -> tuple[Notification, ...]:
        """The oldest that wait for sending, counted as tried once more; nobody else gets them for `lease`.

        Those that need a consent, as many get them at once, come after all others.
        """
        ...

    async def settle(self, id_: str, delivery: Delivery, next_attempt_at: datetime | None = None) -> None:
        """What became of a claimed one; WAITING is tried again at `next_attempt_at`."""
        ...

    async def inbox(
        self, account_id: AccountId, first: int, after: tuple[datetime, str] | None
    ) -> tuple[Notification, ...]:
        """Newest first, older than `after` (instant, id), those of kinds that are shown in the inbox."""
        ...

    async def unread_count(self, account_id: AccountId) -> int:
        """In the inbox."""
        ...

    async def mark_read(self, account_id: AccountId, ids: Sequence[str] | None, now: datetime) -> int:
        """These, or (None) all; how many were unread. Others' ids change nothing."""
        ...

    async def delivery_of(self, account_id: AccountId, key: str) -> Delivery | None:
        """What became of the message of this key; None when there is none."""
        ...

    async def prune(self, account_id: AccountId, keep: int) -> None:
        """Delete the oldest that wait for nothing, beyond the newest `keep`."""
        ...


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """Somebody asked to reset the password of `email`, which may be nobody's."""

    sequence: int
    email: str
    requested_at: datetime


class OneTimeTokenStore(Protocol):
    """Hashes of tokens that went out by mail, and the requests that wait for one."""

    async def ask_reset(self, email: str, now: datetime, *, max_waiting: int) -> bool:
        """Keep a request, the same work for every address; False when `max_waiting` wait already."""
        ...

    async def waiting_resets(self, limit: int) -> tuple[ResetRequest, ...]:
        """Oldest first."""
        ...

    async def finish_reset_request(self, sequence: int) -> None:
        """It was looked at."""
        ...

    async def put(self, token: OneTimeToken, now: datetime) -> None:
        """Keep it in place of the account's others for this purpose; expired ones of everybody go."""
        ...

    async def take(self, token_hash: str, purpose: TokenPurpose, now: datetime) -> OneTimeToken | None:
        """Use a token up: whoever is first gets it, and nobody after; None also for unknown and expired ones."""
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """`id` is the same at every attempt, so that who gets it twice can tell.

    `body` is plain text, `html` the same for programs that show it. `unsubscribe_url` ends mails of this sort by one
    POST (RFC 8058).
    """

    id: str
    recipient: str
    subject: str
    body: str
    language: str
    html: str | None = None
    unsubscribe_url: str | None = None


class MailRefused(Exception):
    """The mail server said that it will never take this mail."""


class MailSender(Protocol):
    """Sends one mail."""

    async def send(self, mail: Mail) -> None:
        """Raises MailRefused when trying again can't help, ServiceError(UNAVAILABLE) when it can."""
        ...
