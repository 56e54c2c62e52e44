"""One training at a time, and what becomes of its version: kept, used where it may be, and the oldest forgotten.

The lease is renewed while the work goes on in a thread, so that it may take long and a process that dies does not
keep others from training for more than a minute.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Generic

import structlog

from common.errors import ServiceError
from subgraphs.recommendations.domain.model_versions import VersionT
from subgraphs.recommendations.ports import ModelChoice
from subgraphs.recommendations.ports_versions import VersionStore

__all__ = ["KEPT_VERSIONS", "PublishVersions", "TrainingRefused", "new_version_id"]

log = structlog.get_logger(__name__)

KEPT_VERSIONS = 10
LEASE_S = 60.0
RENEW_S = 15.0


class TrainingRefused(Exception):
    """There is nothing to train on, or somebody else trains now; the message says which and what to do."""


def new_version_id(made_at: datetime) -> str:
    """Sorts by time; two of the same instant differ."""
    return f"{made_at:%Y%m%dT%H%M%S}.{made_at.microsecond:06}-{secrets.token_hex(2)}"


class PublishVersions(Generic[VersionT]):
    """`command` lists the versions, for who is told to wait."""

    def __init__(self, store: VersionStore[VersionT], choice: ModelChoice, command: str) -> None:
        self._store = store
        self._choice = choice
        self._command = command

    @asynccontextmanager
    async def leased(self) -> AsyncIterator[None]:
        """Be the one that trains; raises TrainingRefused while another is."""
        owner = secrets.token_hex(8)
        if not await self._choice.take_lease(owner, LEASE_S):
            raise TrainingRefused(f"another process trains now; `{self._command}` shows when it is done")
        renewing = asyncio.create_task(self._renew(owner))
        try:
            yield
        finally:
            renewing.cancel()
            await self._choice.give_back_lease(owner)

    async def publish(self, version: VersionT, data: bytes) -> bool:
        """Keep it, use it unless it is unfit or another is pinned, forget the oldest; whether it is in use now."""
        await self._store.put(version, data)
        is_used = await self._use(version)
        await self._forget_old(version.id)
        return is_used

    async def _use(self, version: VersionT) -> bool:
        if version.unfit_because is not None or (await self._choice.choice()).is_pinned:
            return False
        await self._choice.choose(version.id, is_pinned=False)
        return True

    async def _forget_old(self, newest_id: str) -> None:
        in_use = (await self._choice.choice()).version_id
        for version in (await self._store.versions())[KEPT_VERSIONS:]:
            if version.id not in {in_use, newest_id}:
                await self._store.delete(version.id)

    async def _renew(self, owner: str) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self._choice.take_lease(owner, LEASE_S)
            except ServiceError as error:
                # Two trainings at worst, of which the later one is used.
                log.warning("models.lease_not_renewed", error=error.message)
