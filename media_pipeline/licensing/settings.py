"""Settings of the licensing service (MARQUEE_LICENSING_*)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from media_pipeline.kernel.settings import GrpcSettings

__all__ = ["LicensingSettings"]


class LicensingSettings(GrpcSettings):
    """What the licensing service can be told."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_LICENSING_", frozen=True, extra="forbid")

    port: int = 50052
    """TCP port."""
    database_url: str = ""
    """SQLAlchemy URL (sqlite+aiosqlite or postgresql+asyncpg); empty: `<state>/licensing/licensing.sqlite`."""
    entitlement_life: timedelta = Field(default=timedelta(hours=6), gt=timedelta(0), le=timedelta(hours=6))
    """How long playback tokens, and so licences, are good."""

    @property
    def resolved_database_url(self) -> str:
        """The URL in use."""
        return self.database_url or f"sqlite+aiosqlite:///{self.shared.state_dir / 'licensing' / 'licensing.sqlite'}"

    @property
    def master_key_path(self) -> Path:
        """The key that wraps the content keys: 64 hexadecimal digits, mode 0600."""
        return self.shared.keys_dir / "master.key"

    @property
    def playback_key_path(self) -> Path:
        """The private key that signs playback tokens."""
        return self.shared.keys_dir / "playback.pem"
