"""Keys and entitlements in SQL: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from media_pipeline.licensing.domain import Entitlement, KeyRecord
from media_pipeline.media.protection import Encryption, KeyClass

__all__ = ["SqlLicensingStore", "open_sql_store"]

_metadata = sa.MetaData()

_keys = sa.Table(
    "content_keys",
    _metadata,
    sa.Column("key_id", sa.LargeBinary(16), primary_key=True),
    sa.Column("asset_id", sa.String(64), nullable=False),
    sa.Column("title_id", sa.String(128), nullable=False),
    sa.Column("key_class", sa.String(8), nullable=False),
    sa.Column("wrapped", sa.LargeBinary(64), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.UniqueConstraint("asset_id", "key_class"),
)

_entitlements = sa.Table(
    "entitlements",
    _metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("session_id", sa.String(128), nullable=False, index=True),
    sa.Column("account_id", sa.String(128), nullable=False, index=True),
    sa.Column("profile_id", sa.String(128), nullable=False),
    sa.Column("device_id", sa.String(128), nullable=False),
    sa.Column("title_id", sa.String(128), nullable=False),
    sa.Column("asset_id", sa.String(64), nullable=False),
    sa.Column("encryption", sa.String(16), nullable=False),
    sa.Column("max_lines", sa.Integer, nullable=False),
    sa.Column("key_ids", sa.JSON, nullable=False),
    sa.Column("issued_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("revoked_at", sa.Float, nullable=True),
)

_KEY_CLASS_ORDER = list(KeyClass)


class SqlLicensingStore:
    """The port on a SQLAlchemy engine. Instants are stored as seconds since 1970, UTC."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add_missing_keys(self, records: Collection[KeyRecord]) -> None:
        """One statement; the unique constraint decides who was first."""
        rows = [
            {
                "key_id": record.key_id,
                "asset_id": record.asset_id,
                "title_id": record.title_id,
                "key_class": record.key_class.value,
                "wrapped": record.wrapped,
                "created_at": record.created_at.timestamp(),
            }
            for record in records
        ]
        if not rows:
            return
        insert: Any = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        async with self._engine.begin() as connection:
            await connection.execute(insert(_keys).values(rows).on_conflict_do_nothing())

    async def keys_of_asset(self, asset_id: str) -> list[KeyRecord]:
        """All keys of an asset, ordered by class."""
        records = await self._select_keys(_keys.c.asset_id == asset_id)
        return sorted(records, key=lambda record: _KEY_CLASS_ORDER.index(record.key_class))

    async def keys_by_id(self, key_ids: Collection[bytes]) -> list[KeyRecord]:
        """Those of the keys that exist."""
        return await self._select_keys(_keys.c.key_id.in_(list(key_ids)))

    async def put_entitlement(self, entitlement: Entitlement) -> None:
        """Insert one row."""
        row = {
            "id": entitlement.id,
            "session_id": entitlement.session_id,
            "account_id": entitlement.account_id,
            "profile_id": entitlement.profile_id,
            "device_id": entitlement.device_id,
            "title_id": entitlement.title_id,
            "asset_id": entitlement.asset_id,
            "encryption": entitlement.encryption.value,
            "max_lines": entitlement.max_lines,
            "key_ids": sorted(key_id.hex() for key_id in entitlement.key_ids),
            "issued_at": entitlement.issued_at.timestamp(),
            "expires_at": entitlement.expires_at.timestamp(),
            "revoked_at": None,
        }
        async with self._engine.begin() as connection:
            await connection.execute(_entitlements.insert().values(row))

    async def entitlement(self, entitlement_id: str) -> Entitlement | None:
        """One row by primary key."""
        async with self._engine.connect() as connection:
            result = await connection.execute(sa.select(_entitlements).where(_entitlements.c.id == entitlement_id))
            row = result.mappings().first()
        return None if row is None else _entitlement(row)

    async def account_entitlements(self, account_id: str, after_id: str, limit: int) -> list[Entitlement]:
        """One page by id."""
        own = (_entitlements.c.account_id == account_id) & (_entitlements.c.id > after_id)
        page = sa.select(_entitlements).where(own).order_by(_entitlements.c.id).limit(limit)
        async with self._engine.connect() as connection:
            return [_entitlement(row) for row in (await connection.execute(page)).mappings()]

    async def account_entitlement_count(self, account_id: str) -> int:
        """One count."""
        own = _entitlements.c.account_id == account_id
        async with self._engine.connect() as connection:
            return (await connection.execute(sa.select(sa.func.count()).where(own))).scalar_one()

    async def erase_account(self, account_id: str, *, scrub: bool) -> int:
        """One delete; SQLite's file is then written anew, as its free pages and its log still hold what was there."""
        async with self._engine.begin() as connection:
            result = await connection.execute(_entitlements.delete().where(_entitlements.c.account_id == account_id))
        if scrub and self._engine.dialect.name == "sqlite":
            async with self._engine.connect() as connection:
                # VACUUM runs in no transaction, and every execute() of SQLAlchemy's would begin one.
                driver: Any = (await connection.get_raw_connection()).driver_connection
                for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    await (await driver.execute(statement)).close()
        return result.rowcount

    async def revoke_session(self, session_id: str, account_id: str | None, now: datetime) -> int:
        """One update; entitlements that are over already are not counted."""
        statement = (
            _entitlements.update()
            .where(_entitlements.c.session_id == session_id)
            .where(_entitlements.c.revoked_at.is_(None))
            .where(_entitlements.c.expires_at > now.timestamp())
            .values(revoked_at=now.timestamp())
        )
        if account_id is not None:
            statement = statement.where(_entitlements.c.account_id == account_id)
        async with self._engine.begin() as connection:
            result = await connection.execute(statement)
        return result.rowcount

    async def _select_keys(self, condition: sa.ColumnElement[bool]) -> list[KeyRecord]:
        async with self._engine.connect() as connection:
            result = await connection.execute(sa.select(_keys).where(condition))
            rows = result.mappings().all()
        return [
            KeyRecord(
                key_id=row["key_id"],
                asset_id=row["asset_id"],
                title_id=row["title_id"],
                key_class=KeyClass(row["key_class"]),
                wrapped=row["wrapped"],
                created_at=_instant(row["created_at"]),
            )
            for row in rows
        ]


@asynccontextmanager
async def open_sql_store(database_url: str) -> AsyncIterator[SqlLicensingStore]:
    """The store with its tables made; closes its connections at the end."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # Parameters name accounts; errors go to logs.
    engine = create_async_engine(url, hide_parameters=True)
    if url.get_backend_name() == "sqlite":
        sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_metadata.create_all)
        yield SqlLicensingStore(engine)
    finally:
        await engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Durable and concurrent: a write-ahead log that is synced at each commit; writers wait instead of failing."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _entitlement(row: sa.RowMapping) -> Entitlement:
    return Entitlement(
        id=row["id"],
        session_id=row["session_id"],
        account_id=row["account_id"],
        profile_id=row["profile_id"],
        device_id=row["device_id"],
        title_id=row["title_id"],
        asset_id=row["asset_id"],
        encryption=Encryption(row["encryption"]),
        max_lines=row["max_lines"],
        key_ids=frozenset(bytes.fromhex(key_id) for key_id in row["key_ids"]),
        issued_at=_instant(row["issued_at"]),
        expires_at=_instant(row["expires_at"]),
        revoked_at=None if row["revoked_at"] is None else _instant(row["revoked_at"]),
    )


def _instant(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
