"""What the services need from stores and from the password hasher; the adapters implement it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId, SessionId, TitleId
from subgraphs.profiles.domain.accounts import Account, Credentials, Plan, Profile, Subscription
from subgraphs.profiles.domain.lists import KnownTitle, ListEntry, Rating, TitleMarks
from subgraphs.profiles.domain.sessions import RefreshToken, Session, TokenState

__all__ = ["AccountStore", "Deletion", "ListStore", "PasswordHasher", "SessionStore", "TitleFactsStore"]


class Deletion(StrEnum):
    """What became of a profile to delete."""

    DONE = "DONE"
    MISSING = "MISSING"
    LAST = "LAST"


class AccountStore(Protocol):
    """Accounts, plans and profiles. Every write takes the events to tell of it, kept in the same transaction."""

    async def plans(self) -> tuple[Plan, ...]:
        """The plan table, cheapest first."""
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

    async def update_profile(self, profile: Profile, events: Sequence[Event]) -> bool:
        """False when it is gone."""
        ...

    async def delete_profile(self, account_id: AccountId, profile_id: ProfileId, events: Sequence[Event]) -> Deletion:
        """With its list and ratings; sessions that had selected it have none selected afterwards."""
        ...


class SessionStore(Protocol):
    """Sessions and their refresh tokens."""

    async def open(self, session: Session, token: RefreshToken, *, max_sessions: int) -> None:
        """Keep a new session; the account's oldest ones end when there are more than `max_sessions`."""
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

    async def revoke(self, session_id: SessionId, now: datetime) -> bool:
        """End one session; False when it had ended."""
        ...

    async def revoke_all(self, account_id: AccountId, now: datetime) -> int:
        """End all of an account's sessions; how many."""
        ...


class ListStore(Protocol):
    """My List and ratings."""

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

    async def set_rating(
        self, profile_id: ProfileId, title_id: TitleId, rating: Rating | None, events: Sequence[Event]
    ) -> None:
        """Write or clear."""
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
