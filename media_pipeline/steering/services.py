"""Steering's use cases: order the pathways of a session, answer its reloads, keep pathways' health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from media_pipeline.kernel.media_token import MediaGrant, MediaTokenInvalid, MediaTokenKeys
from media_pipeline.media.steering_manifest import write_steering_manifest
from media_pipeline.steering.choose import order_pathways
from media_pipeline.steering.pathway import HealthReport, Pathway, PathwayHealth
from media_pipeline.steering.ports import HealthStore
from media_pipeline.steering.signals import SteeringSignals

__all__ = ["PathwayOrder", "Steering", "SteeringRules"]

MAX_ID_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class SteeringRules:
    """The settings that decisions depend on. `public_media_url` is where players reload their manifests."""

    pathways: tuple[Pathway, ...]
    ttl_s: int
    min_throughput_bps: int
    media_token_life: timedelta
    public_media_url: str


@dataclass(frozen=True, slots=True)
class PathwayOrder:
    """A session's pathways, best first, and the token that opens its media on each of them."""

    pathways: tuple[Pathway, ...]
    media_token: str
    expires_at: datetime
    ttl_s: int


class Steering:
    """The service's use cases over its ports."""

    def __init__(self, rules: SteeringRules, health: HealthStore, token_keys: MediaTokenKeys, clock: Clock) -> None:
        self._rules = rules
        self._health = health
        self._token_keys = token_keys
        self._clock = clock

    def steering_url(self, media_token: str, protocol: str) -> str:
        """Where a player reloads; `protocol` is "hls" or "dash"."""
        return f"{self._rules.public_media_url}/steering/{media_token}/{protocol}.json"

    async def order(self, session_id: str, asset_id: str, region: str | None, max_lines: int) -> PathwayOrder:
        """The order for a session that starts; raises ServiceError for ids that can't be."""
        for name, value in (("session_id", session_id), ("asset_id", asset_id)):
            if not 1 <= len(value) <= MAX_ID_CHARACTERS:
                raise ServiceError(
                    ErrorKind.INVALID_ARGUMENT, f"{name} has {len(value)} characters, wanted 1 to {MAX_ID_CHARACTERS}"
                )
        ordered = await self._decide(SteeringSignals(session_id, region))
        expires_at = self._clock.now() + self._rules.media_token_life
        grant = MediaGrant(asset_id, session_id, expires_at, max_lines, tuple(pathway.id for pathway in ordered))
        return PathwayOrder(ordered, self._token_keys.sign(grant), expires_at, self._rules.ttl_s)

    async def manifest(self, media_token: str, protocol: str, throughputs: Mapping[str, int | None]) -> bytes:
        """The steering manifest for a reload; raises ServiceError UNAUTHENTICATED for a token that is not ours.

        An expired token still gets its answer: a player that is refused once may never ask again.
        """
        try:
            grant = self._token_keys.read_unexpiring(media_token)
        except MediaTokenInvalid as error:
            raise ServiceError(ErrorKind.UNAUTHENTICATED, str(error)) from error
        ordered = await self._decide(SteeringSignals(grant.session_id, throughput_bps_by_id=throughputs))
        ids = [pathway.id for pathway in ordered]
        return write_steering_manifest(ids, self._rules.ttl_s, self.steering_url(media_token, protocol))

    @property
    def ttl_s(self) -> int:
        """How long players keep an order."""
        return self._rules.ttl_s

    async def pathways(self) -> Sequence[tuple[Pathway, HealthReport | None]]:
        """All pathways by id, with what was reported."""
        reports = await self._health.reports()
        return [(pathway, reports.get(pathway.id)) for pathway in sorted(self._rules.pathways, key=lambda p: p.id)]

    async def set_health(self, pathway_id: str, health: PathwayHealth) -> tuple[Pathway, HealthReport]:
        """Set one pathway's health; raises ServiceError NOT_FOUND."""
        pathway = next((pathway for pathway in self._rules.pathways if pathway.id == pathway_id), None)
        if pathway is None:
            known = ", ".join(pathway.id for pathway in self._rules.pathways)
            raise ServiceError(ErrorKind.NOT_FOUND, f"there is no pathway {pathway_id!r}; known are {known}")
        report = HealthReport(health, self._clock.now())
        await self._health.report(pathway_id, report)
        return pathway, report

    async def _decide(self, signals: SteeringSignals) -> tuple[Pathway, ...]:
        reports = await self._health.reports()
        known = SteeringSignals(
            signals.session_id,
            signals.region,
            {pathway_id: report.health for pathway_id, report in reports.items()},
            signals.throughput_bps_by_id,
        )
        return order_pathways(self._rules.pathways, known, self._rules.min_throughput_bps)
