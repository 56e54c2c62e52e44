"""Devices on SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from common.events import Event
from subgraphs.kernel.ids import AccountId, SessionId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables
from subgraphs.profiles.adapters.sqlalchemy.tables_billing import devices
from subgraphs.profiles.domain.devices import Device, DeviceFormFactor, DeviceId, SignedInSession

__all__ = ["SqlDeviceStore"]

SESSIONS = tables.sessions


class SqlDeviceStore:
    """See the DeviceStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def see(self, device: Device, *, max_devices: int, events: Callable[[Device], Sequence[Event]]) -> Device:
        """See DeviceStore.see."""
        own = devices.c.account_id == device.account_id
        async with writing(self._engine) as connection:
            account = tables.accounts.c.id == device.account_id
            await connection.execute(select(tables.accounts.c.id).where(account).with_for_update())
            statement = tables.upsert(connection, devices).values(_row(device))
            seen = {"last_seen_at": statement.excluded.last_seen_at}
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["account_id", "client_hash"], set_=seen)
            )
            newest_first = select(devices).where(own).order_by(devices.c.last_seen_at.desc(), devices.c.id.desc())
            for row in (await connection.execute(newest_first.offset(max_devices))).mappings().all():
                await _remove(connection, _device(row), device.last_seen_at, events)
            found = await connection.execute(select(devices).where(own, devices.c.client_hash == device.client_hash))
            return _device(found.mappings().one())

    async def touch(self, session_id: SessionId, now: datetime) -> None:
        """See DeviceStore.touch."""
        used = select(SESSIONS.c.device_id).where(SESSIONS.c.id == session_id).scalar_subquery()
        async with writing(self._engine) as connection:
            await connection.execute(update(devices).where(devices.c.id == used).values(last_seen_at=now))

    async def devices_page(
        self, account_id: AccountId, first: int, after: tuple[datetime, str] | None
    ) -> tuple[Device, ...]:
        """See DeviceStore.devices_page."""
        wanted = select(devices).where(devices.c.account_id == account_id)
        if after is not None:
            at, id_ = after
            same_instant = (devices.c.last_seen_at == at) & (devices.c.id < id_)
            wanted = wanted.where(or_(devices.c.last_seen_at < at, same_instant))
        wanted = wanted.order_by(devices.c.last_seen_at.desc(), devices.c.id.desc()).limit(first)
        async with reading(self._engine) as connection:
            return tuple(_device(row) for row in (await connection.execute(wanted)).mappings())

    async def sessions_by_device(self, ids: Sequence[DeviceId]) -> Mapping[DeviceId, tuple[SignedInSession, ...]]:
        """See DeviceStore.sessions_by_device."""
        wanted = (
            select(SESSIONS.c.device_id, SESSIONS.c.id, SESSIONS.c.created_at)
            .where(SESSIONS.c.device_id.in_(ids), SESSIONS.c.revoked_at.is_(None))
            .order_by(SESSIONS.c.created_at.desc(), SESSIONS.c.id.desc())
        )
        by_device: dict[DeviceId, list[SignedInSession]] = {}
        async with reading(self._engine) as connection:
            for device_id, session_id, opened_at in (await connection.execute(wanted)).all():
                by_device.setdefault(DeviceId(device_id), []).append(SignedInSession(SessionId(session_id), opened_at))
        return {device_id: tuple(found) for device_id, found in by_device.items()}

    async def rename(self, account_id: AccountId, device_id: DeviceId, name: str) -> Device | None:
        """See DeviceStore.rename."""
        async with writing(self._engine) as connection:
            this = _this(account_id, device_id)
            await connection.execute(update(devices).where(this).values(name=name))
            row = (await connection.execute(select(devices).where(this))).mappings().one_or_none()
        return None if row is None else _device(row)

    async def remove(
        self, account_id: AccountId, device_id: DeviceId, now: datetime, events: Callable[[Device], Sequence[Event]]
    ) -> Device | None:
        """See DeviceStore.remove."""
        async with writing(self._engine) as connection:
            found = await connection.execute(select(devices).where(_this(account_id, device_id)).with_for_update())
            row = found.mappings().one_or_none()
            if row is None:
                return None
            device = _device(row)
            await _remove(connection, device, now, events)
        return device


async def _remove(
    connection: AsyncConnection, device: Device, now: datetime, events: Callable[[Device], Sequence[Event]]
) -> None:
    signed_in = (SESSIONS.c.device_id == device.id) & SESSIONS.c.revoked_at.is_(None)
    await connection.execute(update(SESSIONS).where(signed_in).values(revoked_at=now))
    await connection.execute(delete(devices).where(devices.c.id == device.id))
    await tables.OUTBOX.add(connection, events(device))


def _this(account_id: AccountId, device_id: DeviceId) -> Any:
    return (devices.c.id == device_id) & (devices.c.account_id == account_id)


def _row(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "account_id": device.account_id,
        "client_hash": device.client_hash,
        "name": device.name,
        "form_factor": device.form_factor.value,
        "first_seen_at": device.first_seen_at,
        "last_seen_at": device.last_seen_at,
    }


def _device(row: Mapping[Any, Any]) -> Device:
    return Device(
        id=DeviceId(row["id"]),
        account_id=AccountId(row["account_id"]),
        client_hash=row["client_hash"],
        name=row["name"],
        form_factor=DeviceFormFactor(row["form_factor"]),
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
    )
