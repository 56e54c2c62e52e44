"""Writes messages to accounts: into their inbox, and into the outbox of mails that `mailing` sends."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from subgraphs.kernel.ids import AccountId, new_id
from subgraphs.profiles.domain.accounts import Account
from subgraphs.profiles.domain.consents import granted_purposes, standing_consents
from subgraphs.profiles.domain.notifications import (
    KIND_TABLE,
    Delivery,
    MailPreferences,
    Notification,
    NotificationKind,
)
from subgraphs.profiles.ports import AccountStore, ConsentStore, NotificationStore, PreferenceStore

__all__ = ["Notices", "one_line"]

MAX_INBOX = 200
"""Messages kept of one account."""
MAX_DETAIL_LENGTH = 200
MAX_KEPT_LENGTH = 16_000
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Notices:
    """The service; `wake` tells `mailing` that there is something to send."""

    notifications: NotificationStore
    accounts: AccountStore
    preferences: PreferenceStore
    consents: ConsentStore
    wake: Callable[[], None]

    async def tell(
        self,
        account: Account,
        kind: NotificationKind,
        now: datetime,
        *,
        key: str,
        details: Mapping[str, str] | None = None,
        recipient: str | None = None,
        language: str | None = None,
    ) -> bool:
        """Tell an account once per `key`; False when it was told, or wants no such message at all.

        `recipient` and `language` are others than the account's. Raises ValueError when `details` are not the kind's.
        """
        row = KIND_TABLE[kind]
        given = {name: _checked(text) if name in row.kept else one_line(text) for name, text in (details or {}).items()}
        if given.keys() != row.given:
            raise ValueError(f"{kind} takes {sorted(row.given)}, got {sorted(given)}")
        delivery = Delivery.WAITING if await self.wants(account.id, kind) else Delivery.MUTED
        if delivery is Delivery.MUTED and not row.in_inbox:
            return False
        notification = Notification(
            id=new_id("note", now),
            account_id=account.id,
            kind=kind,
            key=key,
            recipient=recipient or account.email,
            language=language or await self.language_of(account.id),
            details=given,
            created_at=now,
            delivery=delivery,
        )
        if not await self.notifications.add(notification):
            return False
        await self.notifications.prune(account.id, MAX_INBOX)
        self.wake()
        return True

    async def is_waiting(self, account_id: AccountId, *, key: str) -> bool:
        """Whether the mail of that key has yet to be sent, and has not been given up."""
        return await self.notifications.delivery_of(account_id, key) is Delivery.WAITING

    async def language_of(self, account_id: AccountId) -> str:
        """An account speaks its oldest profile's language."""
        profiles = (await self.accounts.profiles_by_account([account_id])).get(account_id, ())
        return profiles[0].language if profiles else DEFAULT_LANGUAGE

    async def wants(self, account_id: AccountId, kind: NotificationKind) -> bool:
        """Whether the account wants, and agreed to, mails of this kind now."""
        muted = (await self.preferences.mail_preferences([account_id])).get(account_id, MailPreferences())
        records = (await self.consents.records_by_account([account_id])).get(account_id, ())
        return muted.wants(KIND_TABLE[kind].category, granted_purposes(standing_consents(records)))


def _checked(text: str) -> str:
    """What is kept for the mail's making is ours, and no text; only its size is looked at."""
    if len(text) > MAX_KEPT_LENGTH:
        raise ValueError(f"a kept detail has {len(text)} characters; at most {MAX_KEPT_LENGTH} are kept")
    return text


def one_line(text: str) -> str:
    """Names come from people: nothing in them may start a new line or turn a mail's text around."""
    kept = "".join(
        " " if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} else character for character in text
    )
    return " ".join(kept.split())[:MAX_DETAIL_LENGTH]
