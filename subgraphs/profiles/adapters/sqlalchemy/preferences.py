"""The stores of preferences and consents on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables_people
from subgraphs.profiles.adapters.sqlalchemy.tables import OUTBOX, upsert
from subgraphs.profiles.domain.consents import ConsentRecord, ConsentSource, Purpose
from subgraphs.profiles.domain.notifications import MailCategory, MailPreferences
from subgraphs.profiles.domain.preferences import DEFAULT_PREFERENCES, DataSaver, Preferences, SubtitleMode

__all__ = ["SqlConsentStore", "SqlPreferenceStore"]

CONSENTS = tables_people.consents
MAIL = tables_people.mail_preferences
PREFERENCES = tables_people.preferences


class SqlPreferenceStore:
    """See the PreferenceStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def preferences_by_profile(self, ids: Sequence[ProfileId]) -> Mapping[ProfileId, Preferences]:
        """See PreferenceStore.preferences_by_profile."""
        wanted = select(PREFERENCES.c.profile_id, PREFERENCES.c.document).where(PREFERENCES.c.profile_id.in_(ids))
        async with reading(self._engine) as connection:
            rows = await connection.execute(wanted)
            return {ProfileId(profile_id): _preferences(document) for profile_id, document in rows}

    async def set_preferences(self, profile_id: ProfileId, preferences: Preferences, now: datetime) -> None:
        """See PreferenceStore.set_preferences."""
        row = {"document": asdict(preferences), "changed_at": now}
        async with writing(self._engine) as connection:
            statement = upsert(connection, PREFERENCES).values(profile_id=profile_id, **row)
            await connection.execute(statement.on_conflict_do_update(index_elements=["profile_id"], set_=row))

    async def mail_preferences(self, ids: Sequence[AccountId]) -> Mapping[AccountId, MailPreferences]:
        """See PreferenceStore.mail_preferences."""
        async with reading(self._engine) as connection:
            rows = await connection.execute(select(MAIL.c.account_id, MAIL.c.muted).where(MAIL.c.account_id.in_(ids)))
            return {
                AccountId(account_id): MailPreferences(frozenset(MailCategory(name) for name in muted))
                for account_id, muted in rows
            }

    async def set_mail_preferences(self, account_id: AccountId, preferences: MailPreferences) -> None:
        """See PreferenceStore.set_mail_preferences."""
        muted = sorted(category.value for category in preferences.muted)
        async with writing(self._engine) as connection:
            statement = upsert(connection, MAIL).values(account_id=account_id, muted=muted)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["account_id"], set_={"muted": muted})
            )


class SqlConsentStore:
    """See the ConsentStore port: rows are only ever added."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def records_by_account(self, ids: Sequence[AccountId]) -> Mapping[AccountId, tuple[ConsentRecord, ...]]:
        """See ConsentStore.records_by_account."""
        wanted = select(CONSENTS).where(CONSENTS.c.account_id.in_(ids)).order_by(CONSENTS.c.sequence)
        by_account: dict[AccountId, tuple[ConsentRecord, ...]] = {}
        async with reading(self._engine) as connection:
            for row in (await connection.execute(wanted)).mappings():
                account_id = AccountId(row["account_id"])
                by_account[account_id] = (*by_account.get(account_id, ()), _record(row))
        return by_account

    async def add_record(
        self, account_id: AccountId, record: ConsentRecord, *, max_records: int, events: Sequence[Event]
    ) -> bool:
        """See ConsentStore.add_record."""
        own = CONSENTS.c.account_id == account_id
        async with writing(self._engine) as connection:
            kept = (await connection.execute(select(CONSENTS.c.sequence).where(own).limit(max_records))).all()
            if len(kept) >= max_records:
                return False
            await connection.execute(
                insert(CONSENTS).values(
                    account_id=account_id,
                    purpose=record.purpose.value,
                    is_granted=record.is_granted,
                    version=record.version,
                    source=record.source.value,
                    recorded_at=record.recorded_at,
                )
            )
            await OUTBOX.add(connection, events)
        return True

    async def decided(
        self, purpose: Purpose, after: AccountId, limit: int, *, is_granted: bool
    ) -> Mapping[AccountId, ConsentRecord]:
        """See ConsentStore.decided."""
        of_purpose = (CONSENTS.c.purpose == purpose.value) & (CONSENTS.c.account_id > after)
        last = select(func.max(CONSENTS.c.sequence)).where(of_purpose).group_by(CONSENTS.c.account_id)
        decided = CONSENTS.c.sequence.in_(last) & CONSENTS.c.is_granted.is_(is_granted)
        wanted = select(CONSENTS).where(decided).order_by(CONSENTS.c.account_id).limit(limit)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(wanted)).mappings().all()
        return {AccountId(row["account_id"]): _record(row) for row in rows}

    async def tell(self, events: Sequence[Event]) -> None:
        """See ConsentStore.tell."""
        async with writing(self._engine) as connection:
            await OUTBOX.add(connection, events)


def _preferences(document: Mapping[str, Any]) -> Preferences:
    """What was written, also before there were newer preferences, which have their defaults then."""
    known = {**asdict(DEFAULT_PREFERENCES), **document}
    return Preferences(
        audio_languages=tuple(known["audio_languages"]),
        subtitle_languages=tuple(known["subtitle_languages"]),
        subtitle_mode=SubtitleMode(known["subtitle_mode"]),
        autoplay_next=known["autoplay_next"],
        autoplay_previews=known["autoplay_previews"],
        data_saver=DataSaver(known["data_saver"]),
        interface_language=known["interface_language"],
    )


def _record(row: Mapping[Any, Any]) -> ConsentRecord:
    return ConsentRecord(
        purpose=Purpose(row["purpose"]),
        is_granted=row["is_granted"],
        version=row["version"],
        source=ConsentSource(row["source"]),
        recorded_at=row["recorded_at"],
    )
