"""Tells the other services what became of an upload (topic `assets`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.events import Event, EventPublisher
from media_pipeline.kernel.valkey import valkey_errors

__all__ = ["AssetEvents"]

TOPIC = "assets"
STREAM = "the event stream"


class AssetEvents:
    """Publishes `asset.published` and `asset.failed`."""

    def __init__(self, publisher: EventPublisher) -> None:
        self._publisher = publisher

    async def published(self, data: Mapping[str, Any], now: datetime) -> None:
        """An asset is whole and playable."""
        with valkey_errors(STREAM):
            await self._publisher.publish(Event(TOPIC, "asset.published", data, now))

    async def failed(self, title_id: str, upload_id: str, code: str, reason: str, now: datetime) -> None:
        """An upload will not become an asset; `reason` is for the uploader."""
        data = {"titleId": title_id, "uploadId": upload_id, "code": code, "reason": reason}
        with valkey_errors(STREAM):
            await self._publisher.publish(Event(TOPIC, "asset.failed", data, now))
