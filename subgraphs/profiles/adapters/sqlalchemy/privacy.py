"""The privacy store on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from common.errors import ErrorKind, ServiceError
from common.events import Event
from subgraphs.kernel.ids import AccountId, ProfileId
from subgraphs.kernel.personal_data import Subject
from subgraphs.kernel.sql import reading, writing
from subgraphs.profiles.adapters.sqlalchemy import tables
from subgraphs.profiles.adapters.sqlalchemy.tables_people import notifications, one_time_tokens
from subgraphs.profiles.adapters.sqlalchemy.tables_privacy import export_parts, privacy_requests
from subgraphs.profiles.domain.privacy import PrivacyRequest, PrivacyRequestId, RequestKind, RequestState

__all__ = ["SqlPrivacyStore"]

REQUESTS = privacy_requests.c
NO_PASSWORD = "!"  # noqa: S105  # no hash looks like it, so that no password fits
MAX_PROBLEM_LENGTH = 300


class SqlPrivacyStore:
    """See the PrivacyStore port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ask(self, request: PrivacyRequest) -> PrivacyRequest:
        """See PrivacyStore.ask."""
        assert request.account_id is not None
        async with writing(self._engine) as connection:
            # The account's row is the lock: of two who ask at once the second finds the first one's request.
            account = tables.accounts.c.id == request.account_id
            await connection.execute(select(tables.accounts.c.id).where(account).with_for_update())
            same = (REQUESTS.account_id == request.account_id) & (REQUESTS.kind == request.kind.value)
            waiting = REQUESTS.state == RequestState.WAITING.value
            found = await connection.execute(select(privacy_requests).where(same & waiting).limit(1))
            row = found.mappings().one_or_none()
            if row is not None:
                return _request(row)
            await connection.execute(insert(privacy_requests).values(_row(request)))
        return request

    async def cancel(self, account_id: AccountId, kind: RequestKind, now: datetime) -> bool:
        """See PrivacyStore.cancel."""
        open_one = (
            (REQUESTS.account_id == account_id)
            & (REQUESTS.kind == kind.value)
            & (REQUESTS.state == RequestState.WAITING.value)
            & REQUESTS.closed_at.is_(None)
        )
        values = {"state": RequestState.CANCELLED.value, "finished_at": now}
        async with writing(self._engine) as connection:
            return (await connection.execute(update(privacy_requests).where(open_one).values(values))).rowcount > 0

    async def request(self, request_id: PrivacyRequestId) -> PrivacyRequest | None:
        """See PrivacyStore.request."""
        async with reading(self._engine) as connection:
            found = await connection.execute(select(privacy_requests).where(REQUESTS.id == request_id))
            row = found.mappings().one_or_none()
        return None if row is None else _request(row)

    async def requests_of(self, account_id: AccountId, kind: RequestKind, limit: int) -> Sequence[PrivacyRequest]:
        """See PrivacyStore.requests_of."""
        wanted = (REQUESTS.account_id == account_id) & (REQUESTS.kind == kind.value)
        newest = select(privacy_requests).where(wanted).order_by(REQUESTS.requested_at.desc(), REQUESTS.id.desc())
        async with reading(self._engine) as connection:
            return [_request(row) for row in (await connection.execute(newest.limit(limit))).mappings()]

    async def claim(self, now: datetime, lease: timedelta) -> PrivacyRequest | None:
        """See PrivacyStore.claim."""
        is_due = (
            (REQUESTS.state == RequestState.WAITING.value) & (REQUESTS.run_at <= now) & (REQUESTS.leased_until <= now)
        )
        longest = select(privacy_requests).where(is_due).order_by(REQUESTS.run_at, REQUESTS.id).limit(1)
        async with writing(self._engine) as connection:
            found = await connection.execute(longest.with_for_update(skip_locked=True))
            row = found.mappings().one_or_none()
            if row is None:
                return None
            this = REQUESTS.id == row["id"]
            await connection.execute(update(privacy_requests).where(this).values(leased_until=now + lease))
        return _request(row)

    async def subject(self, account_id: AccountId) -> Subject:
        """See PrivacyStore.subject."""
        own_profiles = select(tables.profiles.c.id).where(tables.profiles.c.account_id == account_id)
        addresses = (
            select(tables.accounts.c.email).where(tables.accounts.c.id == account_id),
            select(notifications.c.recipient).where(notifications.c.account_id == account_id),
            select(one_time_tokens.c.email).where(one_time_tokens.c.account_id == account_id),
        )
        async with reading(self._engine) as connection:
            profile_ids = (await connection.execute(own_profiles.order_by(tables.profiles.c.id))).scalars().all()
            emails: set[str] = set()
            for each in addresses:
                emails.update((await connection.execute(each)).scalars())
        return Subject(account_id, tuple(ProfileId(each) for each in profile_ids), tuple(sorted(emails)))

    async def close_account(self, request_id: PrivacyRequestId, subject: Subject, now: datetime) -> None:
        """See PrivacyStore.close_account."""
        account_id = subject.account_id
        async with writing(self._engine) as connection:
            account = tables.accounts.c.id == account_id
            # The account's row first, as whoever adds a profile takes it first: none comes in between.
            await connection.execute(select(tables.accounts.c.id).where(account).with_for_update())
            request = await self._locked(connection, request_id)
            if request is None or request.state is not RequestState.WAITING:
                # Taken up at its time, and cancelled before anything was done: the holder was told that it ends here.
                raise ServiceError(ErrorKind.ABORTED, f"request {request_id} does not wait any more")
            own_profiles = select(tables.profiles.c.id).where(tables.profiles.c.account_id == account_id)
            profile_ids = {*subject.profile_ids, *(await connection.execute(own_profiles)).scalars()}
            live = (tables.sessions.c.account_id == account_id) & tables.sessions.c.revoked_at.is_(None)
            await connection.execute(update(tables.sessions).where(live).values(revoked_at=now))
            await connection.execute(update(tables.accounts).where(account).values(password_hash=NO_PASSWORD))
            await connection.execute(delete(one_time_tokens).where(one_time_tokens.c.account_id == account_id))
            await connection.execute(
                update(privacy_requests)
                .where((REQUESTS.id == request_id) & REQUESTS.closed_at.is_(None))
                .values(closed_at=now, profile_ids=sorted(profile_ids), emails=list(subject.emails))
            )

    async def step_done(
        self,
        request_id: PrivacyRequestId,
        step: str,
        counts: Mapping[str, int],
        leased_until: datetime,
        events: Sequence[Event] = (),
    ) -> None:
        """See PrivacyStore.step_done."""
        async with writing(self._engine) as connection:
            request = await self._locked(connection, request_id)
            if request is None or step in request.steps:
                return
            total = dict(request.counts or {})
            for place, count in counts.items():
                total[place] = total.get(place, 0) + count
            await connection.execute(
                update(privacy_requests)
                .where(REQUESTS.id == request_id)
                .values(
                    steps=[*request.steps, step],
                    counts=total,
                    leased_until=leased_until,
                    attempts=0,
                    problem=None,
                )
            )
            await tables.OUTBOX.add(connection, events)

    async def put_off(self, request_id: PrivacyRequestId, run_at: datetime, problem: str | None) -> None:
        """See PrivacyStore.put_off."""
        values: dict[str, Any] = {"run_at": run_at, "leased_until": run_at}
        if problem is not None:
            values |= {"problem": problem[:MAX_PROBLEM_LENGTH], "attempts": REQUESTS.attempts + 1}
        async with writing(self._engine) as connection:
            await connection.execute(update(privacy_requests).where(REQUESTS.id == request_id).values(values))

    async def finish_export(
        self, request_id: PrivacyRequestId, parts: Sequence[str], digest: str, now: datetime, expires_at: datetime
    ) -> None:
        """See PrivacyStore.finish_export."""
        async with writing(self._engine) as connection:
            request = await self._locked(connection, request_id)
            if request is None or request.state is not RequestState.WAITING:
                return
            rows = [
                {"request_id": request_id, "number": number, "content": content} for number, content in enumerate(parts)
            ]
            await connection.execute(insert(export_parts), rows)
            await connection.execute(
                update(privacy_requests)
                .where(REQUESTS.id == request_id)
                .values(
                    state=RequestState.DONE.value,
                    finished_at=now,
                    expires_at=expires_at,
                    size_bytes=sum(len(content.encode()) for content in parts),
                    part_count=len(parts),
                    digest=digest,
                    problem=None,
                )
            )

    async def forget(self, request_id: PrivacyRequestId, step: str, leased_until: datetime) -> None:
        """See PrivacyStore.forget."""
        async with writing(self._engine) as connection:
            request = await self._locked(connection, request_id)
            if request is None or request.account_id is None:
                return
            values = {
                "account_id": None,
                "profile_ids": [],
                "emails": [],
                "steps": [*request.steps, step],
                "leased_until": leased_until,
            }
            await connection.execute(update(privacy_requests).where(REQUESTS.id == request_id).values(values))
            # Its exports, and erasures that were cancelled.
            others = REQUESTS.account_id == request.account_id
            await connection.execute(delete(privacy_requests).where(others))

    async def finish_erasure(self, request_id: PrivacyRequestId, now: datetime) -> None:
        """See PrivacyStore.finish_erasure."""
        values = {"state": RequestState.DONE.value, "finished_at": now, "problem": None}
        async with writing(self._engine) as connection:
            await connection.execute(update(privacy_requests).where(REQUESTS.id == request_id).values(values))

    async def fail(self, request_id: PrivacyRequestId, problem: str, now: datetime) -> None:
        """See PrivacyStore.fail."""
        values = {"state": RequestState.FAILED.value, "problem": problem[:MAX_PROBLEM_LENGTH], "finished_at": now}
        async with writing(self._engine) as connection:
            await connection.execute(update(privacy_requests).where(REQUESTS.id == request_id).values(values))

    async def part(self, request_id: PrivacyRequestId, number: int) -> str | None:
        """See PrivacyStore.part."""
        wanted = (export_parts.c.request_id == request_id) & (export_parts.c.number == number)
        async with reading(self._engine) as connection:
            found = await connection.execute(select(export_parts.c.content).where(wanted))
            return found.scalar_one_or_none()

    async def drop_expired(self, now: datetime) -> int:
        """See PrivacyStore.drop_expired; the parts go with their request."""
        is_over = (REQUESTS.kind == RequestKind.EXPORT.value) & (REQUESTS.expires_at <= now)
        async with writing(self._engine) as connection:
            return (await connection.execute(delete(privacy_requests).where(is_over))).rowcount

    async def _locked(self, connection: AsyncConnection, request_id: PrivacyRequestId) -> PrivacyRequest | None:
        wanted = select(privacy_requests).where(REQUESTS.id == request_id).with_for_update()
        row = (await connection.execute(wanted)).mappings().one_or_none()
        return None if row is None else _request(row)


def _row(request: PrivacyRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "kind": request.kind.value,
        "account_id": request.account_id,
        "profile_ids": list(request.profile_ids),
        "emails": list(request.emails),
        "state": request.state.value,
        "steps": list(request.steps),
        "counts": dict(request.counts or {}),
        "attempts": request.attempts,
        "requested_at": request.requested_at,
        "run_at": request.run_at,
        "leased_until": request.requested_at,
        "size_bytes": 0,
        "part_count": 0,
    }


def _request(row: Mapping[Any, Any]) -> PrivacyRequest:
    account_id = row["account_id"]
    read = PrivacyRequest(
        id=PrivacyRequestId(row["id"]),
        kind=RequestKind(row["kind"]),
        account_id=None if account_id is None else AccountId(account_id),
        profile_ids=tuple(ProfileId(each) for each in row["profile_ids"]),
        emails=tuple(row["emails"]),
        requested_at=row["requested_at"],
        run_at=row["run_at"],
    )
    return replace(
        read,
        state=RequestState(row["state"]),
        steps=tuple(row["steps"]),
        counts=row["counts"],
        attempts=row["attempts"],
        problem=row["problem"],
        closed_at=row["closed_at"],
        finished_at=row["finished_at"],
        expires_at=row["expires_at"],
        size_bytes=row["size_bytes"],
        part_count=row["part_count"],
        digest=row["digest"],
    )
