"""Passwords as argon2id hashes, made in a small thread pool so that the event loop and the memory stay free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import InvalidHashError, VerificationError

from common.errors import ErrorKind, ServiceError

__all__ = ["Argon2PasswordHasher"]

ResultT = TypeVar("ResultT")


class Argon2PasswordHasher:
    """See the PasswordHasher port. `max_waiting` bounds the queue before the threads. Close it when done."""

    def __init__(self, *, memory_kib: int, passes: int, lanes: int, threads: int, max_waiting: int) -> None:
        self._argon2 = Argon2(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._max_jobs = threads + max_waiting
        self._jobs = 0
        # Compared with when there is no account, so that the answer takes as long as for one that exists.
        self._nobody = self._argon2.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """See PasswordHasher.hash."""
        return await self._run(self._argon2.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """See PasswordHasher.verify."""
        matches = await self._run(self._matches, password, self._nobody if stored is None else stored)
        return matches and stored is not None

    def needs_rehash(self, stored: str) -> bool:
        """See PasswordHasher.needs_rehash."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        """Wait for running jobs; queued ones are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _matches(self, password: str, stored: str) -> bool:
        try:
            return self._argon2.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., ResultT], *arguments: str) -> ResultT:
        if self._jobs >= self._max_jobs:
            raise ServiceError(ErrorKind.RESOURCE_EXHAUSTED, "too many log-ins at once; try again in a few seconds")
        self._jobs += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._jobs -= 1
