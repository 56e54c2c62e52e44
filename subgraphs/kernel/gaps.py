"""What a consumer does when it finds that events passed it by: it asks their owner to tell everything again."""

from __future__ import annotations

import structlog

from common.clock import Clock
from common.events import EventPublisher, GapHandler, request_republish

__all__ = ["REPUBLISHED_TOPICS", "ask_again"]

log = structlog.get_logger(__name__)

REPUBLISHED_TOPICS = frozenset({"titles", "accounts"})
"""Topics whose owner can tell again what must be known: the whole catalogue, and who refuses the use of their data."""


def ask_again(publisher: EventPublisher, group: str, clock: Clock) -> GapHandler:
    """The `on_gap` of a subgraph's consumer."""

    async def on_gap(topic: str) -> None:
        if topic in REPUBLISHED_TOPICS:
            await request_republish(publisher, topic, group, clock.now())
        else:
            log.error("events.missed_for_good", topic=topic, group=group)

    return on_gap
