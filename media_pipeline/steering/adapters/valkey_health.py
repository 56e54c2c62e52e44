"""Pathways' health in one Valkey hash."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from media_pipeline.steering.pathway import HealthReport, PathwayHealth

__all__ = ["ValkeyHealthStore"]

log = structlog.get_logger(__name__)

HASH_KEY = "marquee:steering:health"
FRESH_S = 1.0
"""How long a reading is used again: an order set by hand shows after at most this time."""
TIMEOUT_S = 0.25
"""Players wait for the answer: better an old reading than a late one."""


class ValkeyHealthStore:
    """Reads at most once a second and keeps the last reading through an outage."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._reports: dict[str, HealthReport] = {}
        self._read_at = float("-inf")

    async def reports(self) -> Mapping[str, HealthReport]:
        """What was reported, by pathway id."""
        if time.monotonic() - self._read_at >= FRESH_S:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    stored: dict[Any, Any] = await self._redis.hgetall(HASH_KEY)
                self._reports = {_text(name): _read_report(_text(value)) for name, value in stored.items()}
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("steering.health_unread", error=str(error), kept=len(self._reports))
            self._read_at = time.monotonic()
        return self._reports

    async def report(self, pathway_id: str, report: HealthReport) -> None:
        """Set one pathway's health."""
        value = json.dumps({"health": report.health.name, "changedAt": report.changed_at.isoformat()})
        try:
            async with asyncio.timeout(TIMEOUT_S * 4):
                await self._redis.hset(HASH_KEY, pathway_id, value)
        except (RedisError, OSError, TimeoutError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "the store of pathway health is away; try again") from error
        self._read_at = float("-inf")


def _read_report(value: str) -> HealthReport:
    stored: dict[str, str] = json.loads(value)
    return HealthReport(PathwayHealth[stored["health"]], datetime.fromisoformat(stored["changedAt"]))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
