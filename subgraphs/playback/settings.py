"""Playback's settings: environment prefix MARQUEE_PLAYBACK_."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from subgraphs.kernel.settings import SubgraphSettings
from subgraphs.kernel.sql import sqlite_url

__all__ = ["PlaybackSettings"]


class PlaybackSettings(SubgraphSettings):
    """Where playback keeps its data, which services it calls, and how long things last."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_PLAYBACK_", frozen=True, extra="forbid")

    port: Annotated[int, Field(ge=0, le=65535)] = 4003
    """TCP port of the subgraph; 0 lets the system choose."""
    store_url: SecretStr | None = None
    """postgresql+asyncpg://…, mongodb://host/database or sqlite+aiosqlite:///…; none: playback/playback.sqlite."""
    licensing_target: str = "127.0.0.1:50052"
    """host:port of the licensing service."""
    steering_target: str = "127.0.0.1:50053"
    """host:port of the steering service."""
    call_timeout_s: Annotated[float, Field(gt=0, le=30)] = 2.0
    """For one call to licensing or steering."""
    breaker_cool_down_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """How long licensing or steering is left alone after five failed calls in a row."""
    lease_life_s: Annotated[int, Field(ge=30, le=300)] = 75
    """How long a stream slot lasts without a heartbeat: two and a half of the longest intervals between them."""
    heartbeat_interval_s: Annotated[int, Field(ge=5, le=30)] = 10
    """How often players are told to report."""
    session_life_s: Annotated[int, Field(ge=600)] = 6 * 3600
    """As long as a playback token."""

    @property
    def resolved_store_url(self) -> str:
        """The URL to open; the folder of the embedded store is made when missing."""
        if self.store_url is not None:
            return self.store_url.get_secret_value()
        return sqlite_url(self.shared.state_dir / "playback" / "playback.sqlite")
