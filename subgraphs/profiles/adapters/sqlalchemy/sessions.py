"""The session store on SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from subgraphs.kernel.ids import AccountId, ProfileId, SessionId
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables
from subgraphs.profiles.domain.devices import DeviceId
from subgraphs.profiles.domain.sessions import RefreshToken, Session, TokenState

__all__ = ["SqlSessionStore"]

TOKENS = tables.refresh_tokens
SESSIONS = tables.sessions


class SqlSessionStore:
    """See the SessionStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open(self, session: Session, token: RefreshToken, *, max_sessions: int) -> None:
        """See SessionStore.open."""
        async with writing(self._engine) as connection:
            await connection.execute(
                insert(SESSIONS).values(
                    id=session.id,
                    account_id=session.account_id,
                    profile_id=session.profile_id,
                    device_id=session.device_id,
                    device_name=session.device_name,
                    created_at=session.created_at,
                )
            )
            await _keep_token(connection, session.id, token)
            await _drop_oldest(connection, session, max_sessions)

    async def knows_device(self, account_id: AccountId, device_name: str) -> bool:
        """See SessionStore.knows_device."""
        this = (SESSIONS.c.account_id == account_id) & (SESSIONS.c.device_name == device_name)
        async with reading(self._engine) as connection:
            return (await connection.execute(select(SESSIONS.c.id).where(this).limit(1))).first() is not None

    async def live_session(self, session_id: SessionId) -> Session | None:
        """See SessionStore.live_session."""
        live = (SESSIONS.c.id == session_id) & SESSIONS.c.revoked_at.is_(None)
        async with reading(self._engine) as connection:
            row = (await connection.execute(select(SESSIONS).where(live))).mappings().one_or_none()
        return None if row is None else _session(row)

    async def token_session(self, token_hash: str, now: datetime) -> tuple[TokenState, Session | None]:
        """See SessionStore.token_session."""
        async with reading(self._engine) as connection:
            return await _look_up(connection, token_hash, now)

    async def rotate(
        self, token_hash: str, successor: RefreshToken, now: datetime
    ) -> tuple[TokenState, Session | None]:
        """See SessionStore.rotate."""
        async with writing(self._engine) as connection:
            state, session = await _look_up(connection, token_hash, now, for_update=True)
            if session is None:
                return state, None
            if state is TokenState.USED:
                await _revoke(connection, session.id, now)
                return state, session
            await connection.execute(update(TOKENS).where(TOKENS.c.hash == token_hash).values(used_at=now))
            await _keep_token(connection, session.id, successor)
            # Used tokens are kept as long as they could have lived: until then their return is a sign of theft.
            old = (TOKENS.c.session_id == session.id) & (TOKENS.c.expires_at <= now)
            await connection.execute(delete(TOKENS).where(old))
            return state, session

    async def replace_tokens(self, session_id: SessionId, successor: RefreshToken, now: datetime) -> bool:
        """See SessionStore.replace_tokens."""
        async with writing(self._engine) as connection:
            live = (SESSIONS.c.id == session_id) & SESSIONS.c.revoked_at.is_(None)
            found = await connection.execute(select(SESSIONS.c.id).where(live).with_for_update())
            if found.one_or_none() is None:
                return False
            fresh = (TOKENS.c.session_id == session_id) & TOKENS.c.used_at.is_(None)
            await connection.execute(update(TOKENS).where(fresh).values(used_at=now))
            await _keep_token(connection, session_id, successor)
        return True

    async def select_profile(self, session_id: SessionId, profile_id: ProfileId) -> None:
        """See SessionStore.select_profile."""
        async with writing(self._engine) as connection:
            await connection.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(profile_id=profile_id))

    async def revoked_since(self, instant: datetime, limit: int) -> tuple[SessionId, ...]:
        """See SessionStore.revoked_since."""
        wanted = select(SESSIONS.c.id).where(SESSIONS.c.revoked_at >= instant).order_by(SESSIONS.c.revoked_at.desc())
        async with reading(self._engine) as connection:
            return tuple(SessionId(id_) for id_ in (await connection.execute(wanted.limit(limit))).scalars())

    async def revoke(self, session_id: SessionId, now: datetime) -> bool:
        """See SessionStore.revoke."""
        async with writing(self._engine) as connection:
            return await _revoke(connection, session_id, now)

    async def revoke_all(self, account_id: AccountId, now: datetime) -> int:
        """See SessionStore.revoke_all."""
        live = (SESSIONS.c.account_id == account_id) & SESSIONS.c.revoked_at.is_(None)
        async with writing(self._engine) as connection:
            return (await connection.execute(update(SESSIONS).where(live).values(revoked_at=now))).rowcount


async def _look_up(
    connection: AsyncConnection, token_hash: str, now: datetime, *, for_update: bool = False
) -> tuple[TokenState, Session | None]:
    wanted = (
        select(SESSIONS, TOKENS.c.expires_at, TOKENS.c.used_at)
        .join(TOKENS, TOKENS.c.session_id == SESSIONS.c.id)
        .where(TOKENS.c.hash == token_hash)
    )
    if for_update:
        wanted = wanted.with_for_update()
    row = (await connection.execute(wanted)).mappings().one_or_none()
    if row is None or row["revoked_at"] is not None or row["expires_at"] <= now:
        return TokenState.UNKNOWN, None
    return TokenState.FRESH if row["used_at"] is None else TokenState.USED, _session(row)


async def _keep_token(connection: AsyncConnection, session_id: SessionId, token: RefreshToken) -> None:
    await connection.execute(
        insert(TOKENS).values(hash=token.hash, session_id=session_id, expires_at=token.expires_at, used_at=None)
    )


async def _revoke(connection: AsyncConnection, session_id: SessionId, now: datetime) -> bool:
    live = (SESSIONS.c.id == session_id) & SESSIONS.c.revoked_at.is_(None)
    return (await connection.execute(update(SESSIONS).where(live).values(revoked_at=now))).rowcount > 0


async def _drop_oldest(connection: AsyncConnection, session: Session, max_sessions: int) -> None:
    """Delete the account's sessions beyond the newest `max_sessions`, with their tokens."""
    newest_first = (
        select(SESSIONS.c.id)
        .where(SESSIONS.c.account_id == session.account_id)
        .order_by(SESSIONS.c.created_at.desc(), SESSIONS.c.id.desc())
    )
    surplus = (await connection.execute(newest_first.offset(max_sessions))).scalars().all()
    if surplus:
        await connection.execute(delete(SESSIONS).where(SESSIONS.c.id.in_(surplus)))


def _session(row: Mapping[Any, Any]) -> Session:
    return Session(
        id=SessionId(row["id"]),
        account_id=AccountId(row["account_id"]),
        profile_id=None if row["profile_id"] is None else ProfileId(row["profile_id"]),
        device_name=row["device_name"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        device_id=None if row["device_id"] is None else DeviceId(row["device_id"]),
    )
