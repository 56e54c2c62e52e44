"""A circuit breaker around one service: after five failures in a row it is left alone for a while.

While it is open, calls fail at once instead of each waiting for its deadline; then one is let through to look, and its
outcome decides. Only a service that can't be reached counts as failing: refusals are answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.messages.base import Event
from purgatory.domain.messages.events import ContextChanged
from purgatory.domain.model import OpenedState

from common.errors import ErrorKind, ServiceError
from subgraphs.playback.adapters.grpc.calls import translated_errors

__all__ = ["ServiceBreaker"]

log = structlog.get_logger(__name__)

FAILURES_TO_OPEN = 5


class ServiceBreaker:
    """For the calls to `service`; `cool_down_s` is how long it is left alone."""

    def __init__(self, service: str, cool_down_s: float) -> None:
        self._service = service
        self._circuits = AsyncCircuitBreakerFactory(
            default_threshold=FAILURES_TO_OPEN,
            default_ttl=cool_down_s,
            exclude=[(ServiceError, _is_an_answer), asyncio.CancelledError],
        )
        self._circuits.add_listener(_log_change)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Around one call; raises ServiceError UNAVAILABLE at once while the service is left alone."""
        try:
            async with await self._circuits.get_breaker(self._service):
                with translated_errors(self._service):
                    yield
        except OpenedState as error:
            raise ServiceError(
                ErrorKind.UNAVAILABLE,
                f"the {self._service} service does not answer at the moment; try again in a few seconds",
            ) from error


def _log_change(service: str, what: str, event: Event) -> None:
    if what == "state_changed" and isinstance(event, ContextChanged):
        log.warning("breaker.changed", service=service, state=event.state)


def _is_an_answer(error: ServiceError) -> bool:
    return error.kind is not ErrorKind.UNAVAILABLE
