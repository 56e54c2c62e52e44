"""The store of credentials on SQL: changes of what an account logs in with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from subgraphs.kernel.ids import AccountId, SessionId
from subgraphs.kernel.sql import writing
from subgraphs.profiles.adapters.sqlalchemy.tables import accounts, sessions
from subgraphs.profiles.adapters.sqlalchemy.tables_people import one_time_tokens

__all__ = ["SqlCredentialStore"]


class SqlCredentialStore:
    """See the CredentialStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def set_password(
        self, account_id: AccountId, password_hash: str, now: datetime, *, keep: SessionId | None
    ) -> None:
        """See CredentialStore.set_password."""
        ended = (sessions.c.account_id == account_id) & sessions.c.revoked_at.is_(None)
        if keep is not None:
            ended &= sessions.c.id != keep
        async with writing(self._engine) as connection:
            await connection.execute(
                update(accounts).where(accounts.c.id == account_id).values(password_hash=password_hash)
            )
            await connection.execute(update(sessions).where(ended).values(revoked_at=now))
            # A code that went out before is worth nothing any more.
            await connection.execute(delete(one_time_tokens).where(one_time_tokens.c.account_id == account_id))

    async def set_email(self, account_id: AccountId, email: str) -> bool:
        """See CredentialStore.set_email."""
        try:
            async with writing(self._engine) as connection:
                await connection.execute(update(accounts).where(accounts.c.id == account_id).values(email=email))
        except IntegrityError:
            return False
        return True
