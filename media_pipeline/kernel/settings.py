"""Settings that all media processes share a shape for; each process has its own class and environment prefix."""

from __future__ import annotations

from pathlib import Path

from common.settings import ProcessSettings

__all__ = ["GrpcSettings", "MediaSettings"]


class MediaSettings(ProcessSettings):
    """Base of the media processes' settings."""

    object_store_url: str = ""
    """Where objects live, e.g. s3://bucket/prefix; empty: the local folder `<state>/objects`."""

    @property
    def media_token_keys_path(self) -> Path:
        """The secrets that sign media paths: whoever starts first writes them; steering, licensing, delivery read."""
        return self.shared.keys_dir / "media-token.json"

    @property
    def service_key_path(self) -> Path:
        """The private key that signs service tokens."""
        return self.shared.keys_dir / "viewer.pem"


class GrpcSettings(MediaSettings):
    """Base of the gRPC processes' settings."""

    port: int = 0
    """TCP port; 0 lets the system choose (tests)."""
    call_timeout_s: float = 5.0
    """Longest that a unary call may take when the caller's own deadline is later or missing."""
    watch_timeout_s: float = 3600.0
    """Longest that a server stream may last; the caller then asks again."""
    drain_s: float = 5.0
    """How long running calls may finish after the service says NOT_SERVING."""
