"""Calls from one of our services to another: a channel, and metadata with a fresh service token."""

from __future__ import annotations

from pathlib import Path

import grpc

from common.clock import Clock, SystemClock
from common.signing_keys import KeyRing
from common.tokens import sign_service_token
from media_pipeline.kernel.identity import AUTHORIZATION_KEY

__all__ = ["ServiceIdentity", "open_channel"]

_RETRY_POLICY = """{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.1s",
"maxBackoff": "1s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}],
"retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}}"""
"""Only calls that never reached the server or were refused by it are repeated, and no more than one in ten."""


def open_channel(target: str) -> grpc.aio.Channel:
    """A channel to `host:port`; connects when first used and again when the service comes back."""
    return grpc.aio.insecure_channel(
        target,
        options=[("grpc.service_config", _RETRY_POLICY), ("grpc.max_reconnect_backoff_ms", 2000)],
    )


class ServiceIdentity:
    """Signs this process's calls; `name` is what the other side logs."""

    def __init__(self, key_path: Path, name: str, clock: Clock | None = None) -> None:
        self._ring = KeyRing(key_path, clock=clock)
        self._name = name
        self._clock = clock or SystemClock()

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Call metadata with a token of some minutes."""
        token = sign_service_token(self._ring.signing_key(), self._name, self._clock.now())
        return ((AUTHORIZATION_KEY, f"Bearer {token}"),)
