"""The same subgraph with the one difference that is measured: passwords are hashed on the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import subgraphs.profiles.app
from common.telemetry import configure_logs
from stack.entries import run_profiles
from subgraphs.profiles.adapters.argon2_hasher import Argon2PasswordHasher

__all__ = ["serve"]

ResultT = TypeVar("ResultT")


class LoopPasswordHasher(Argon2PasswordHasher):
    """Hashes where it is called, as the obvious code does."""

    async def _run(self, work: Callable[..., ResultT], *arguments: str) -> ResultT:
        return work(*arguments)


def serve() -> None:
    """Run the subgraph with it."""
    configure_logs("profiles", "WARNING")
    subgraphs.profiles.app.Argon2PasswordHasher = LoopPasswordHasher  # type: ignore[misc]  # the one difference
    run_profiles()
