"""Settings of the steering service (MARQUEE_STEERING_*)."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from media_pipeline.kernel.media_token import MEDIA_TOKEN_LIFE
from media_pipeline.kernel.settings import GrpcSettings
from media_pipeline.steering.pathway import Pathway

__all__ = ["PathwaySetting", "SteeringSettings"]


class PathwaySetting(BaseModel):
    """One delivery route."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")
    """Name in manifests; HLS allows letters, digits, dot, hyphen and underscore."""
    base_url: str = Field(pattern=r"^https?://")
    """What stands before /media/ on this route; no slash at the end."""
    regions: tuple[str, ...] = ()
    """Countries served by preference; empty: everywhere."""
    weight: int = Field(default=1, ge=1, le=1000)
    """Share of new sessions among equals."""


class SteeringSettings(GrpcSettings):
    """What the steering service can be told."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_STEERING_", frozen=True, extra="forbid")

    port: int = 50053
    """TCP port."""
    pathways: tuple[PathwaySetting, ...] = ()
    """Routes as JSON; empty: edge-a and edge-b, both on this machine's delivery service."""
    ttl_s: int = Field(default=10, ge=1, le=300)
    """How long players keep an order: a route that fails is left within this time."""
    min_throughput_bps: int = 500_000
    """A player that reports less on its pathway is moved to another one of equal health."""
    media_token_life: timedelta = Field(default=MEDIA_TOKEN_LIFE, gt=timedelta(0), le=timedelta(hours=6))
    """How long signed media paths are good."""

    @property
    def resolved_pathways(self) -> tuple[Pathway, ...]:
        """The routes in use, each id once; raises ValueError for a repeated id."""
        base_url = self.shared.public_media_url.rstrip("/")
        configured = self.pathways or tuple(
            PathwaySetting(id=edge, base_url=f"{base_url}/{edge}") for edge in ("edge-a", "edge-b")
        )
        ids = [pathway.id for pathway in configured]
        if len(set(ids)) != len(ids):
            raise ValueError(f"MARQUEE_STEERING_PATHWAYS names a pathway twice: {', '.join(ids)}")
        return tuple(
            Pathway(pathway.id, pathway.base_url.rstrip("/"), frozenset(pathway.regions), pathway.weight)
            for pathway in configured
        )
