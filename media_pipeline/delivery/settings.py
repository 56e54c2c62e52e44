"""Settings of the delivery service (MARQUEE_DELIVERY_*)."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from media_pipeline.kernel.settings import MediaSettings

__all__ = ["DeliverySettings"]


class DeliverySettings(MediaSettings):
    """What the delivery service can be told."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_DELIVERY_", frozen=True, extra="forbid")

    port: int = 4010
    """TCP port."""
    transcoding_target: str = "127.0.0.1:50051"
    """host:port of the transcoding service."""
    licensing_target: str = "127.0.0.1:50052"
    """host:port of the licensing service."""
    steering_target: str = "127.0.0.1:50053"
    """host:port of the steering service."""
    artwork_origin_url: str = "http://127.0.0.1:4002"
    """Where artwork masters that are not stored yet are rendered; empty: nowhere."""
    upload_max_bytes: int = Field(default=10 * 1000**3, gt=0)
    """Largest upload."""
    upload_life: timedelta = timedelta(hours=24)
    """How long an unfinished upload is kept."""
    upload_tidy_interval_s: float = Field(default=30.0, gt=0)
    """How often expired uploads are removed and delayed jobs started."""
    image_threads: int = Field(default=2, ge=1, le=32)
    """Threads that scale artwork."""
    image_queue: int = Field(default=64, ge=1)
    """Artwork requests that may wait for a thread; more are asked to come again."""
    cmcd_records_per_session: int = Field(default=200, ge=1, le=10_000)
    """Newest CMCD records kept per playback session."""

    access_jwks: str = ""
    """Key set that verifies access tokens: a URL or a file; empty: `<state>/keys/access.jwks.json`."""

    @property
    def resolved_access_jwks(self) -> str:
        """The key set in use."""
        return self.access_jwks or str(self.shared.keys_dir / "access.jwks.json")
