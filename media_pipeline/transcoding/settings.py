"""Settings of the transcoding service (MARQUEE_TRANSCODING_*) and of its workers (MARQUEE_WORKER_*)."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from media_pipeline.kernel.settings import GrpcSettings, MediaSettings

__all__ = ["TranscodingSettings", "WorkerSettings"]


class TranscodingSettings(GrpcSettings):
    """What the transcoding service can be told."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_TRANSCODING_", frozen=True, extra="forbid")

    port: int = 50051
    """TCP port."""


class WorkerSettings(MediaSettings):
    """What a transcoding worker can be told."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_WORKER_", frozen=True, extra="forbid")

    licensing_target: str = "127.0.0.1:50052"
    """host:port of the licensing service, which gives the content keys."""
    work_dir: Path | None = None
    """Scratch space, about three times the largest source; unset: `<state>/worker`."""
    preset: str = Field(default="veryfast", pattern=r"^[a-z]+$")
    """x264's speed: slower presets make smaller files of the same quality."""
    encoder_threads: int = Field(default=0, ge=0, le=64)
    """Threads per encode; 0: as many as cores."""
    niceness: int = Field(default=10, ge=0, le=19)
    """How far encoders step back behind the processes that answer viewers."""
    max_attempts: int = Field(default=3, ge=1, le=10)
    """After this many attempts a job fails for good."""
    lease_s: float = Field(default=15.0, ge=3.0)
    """A worker silent for this long is taken for dead and its job goes to another one."""
    stall_timeout_s: float = Field(default=60.0, ge=5.0)
    """An encoder without progress for this long is killed."""
    retry_delay_s: int = Field(default=5, ge=0)
    """Pause before a failed attempt is repeated."""

    @property
    def resolved_work_dir(self) -> Path:
        """The scratch folder in use."""
        return self.work_dir or self.shared.state_dir / "worker"
