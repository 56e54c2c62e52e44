"""The event stream's port on Redis streams."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from redis.exceptions import RedisError

from common.events import Event, EventPublisher

__all__ = ["TITLES_TOPIC", "RedisEventStream"]

TITLES_TOPIC = "titles"


class RedisEventStream:
    """Appends to topic `titles`."""

    def __init__(self, publisher: EventPublisher) -> None:
        self._publisher = publisher

    async def publish(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        """Returns when the server has it; raises ConnectionError when it does not answer."""
        try:
            await self._publisher.publish(Event(topic=TITLES_TOPIC, kind=kind, data=data, occurred_at=at))
        except RedisError as error:
            raise ConnectionError(f"the event stream did not take a {kind} event: {error}") from error
