"""Writes messages to accounts: into their inbox, and into the outbox of mails that `mailing` sends."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from subgraphs.kernel.ids import AccountId, new_id
from subgraphs.profiles.domain.accounts import Account
from subgraphs.profiles.domain.consents import Purpose, standing_consents
from subgraphs.profiles.domain.notifications import (
    KIND_TABLE,
    Delivery,
    MailPreferences,
    Notification,
    NotificationKind,
)
from subgraphs.profiles.ports import AccountStore, ConsentStore, NotificationStore, PreferenceStore

__all__ = ["Notices"]

MAX_INBOX = 200
"""Messages kept of one account."""
MAX_DETAIL_LENGTH = 200
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
    ) -> bool:
        """Tell an account once per `key`; False when it was told, or wants no such message at all.

        `recipient` is another address than the account's. Raises ValueError when `details` are not the kind's.
        """
        row = KIND_TABLE[kind]
        given = {name: _one_line(text) for name, text in (details or {}).items()}
        missing = row.details - {"code"} - given.keys()
        if missing or given.keys() - row.details:
            raise ValueError(f"{kind} takes {sorted(row.details)}, got {sorted(given)}")
        delivery = Delivery.WAITING if await self._wants(account.id, kind) else Delivery.MUTED
        if delivery is Delivery.MUTED and not row.in_inbox:
            return False
        notification = Notification(
            id=new_id("note", now),
            account_id=account.id,
            kind=kind,
            key=key,
            recipient=recipient or account.email,
            language=await self.language_of(account.id),
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

    async def _wants(self, account_id: AccountId, kind: NotificationKind) -> bool:
        muted = (await self.preferences.mail_preferences([account_id])).get(account_id, MailPreferences())
        records = (await self.consents.records_by_account([account_id])).get(account_id, ())
        granted = {consent.purpose for consent in standing_consents(records) if consent.is_granted}
        return muted.wants(KIND_TABLE[kind].category, has_marketing_consent=Purpose.MARKETING in granted)


def _one_line(text: str) -> str:
    """Names come from people: nothing in them may start a new line or turn a mail's text around."""
    kept = "".join(
        " " if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} else character for character in text
    )
    return " ".join(kept.split())[:MAX_DETAIL_LENGTH]
