"""What delivery needs from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from media_pipeline.delivery.byte_ranges import ByteRange

__all__ = ["ArtworkMasters", "CmcdSink", "LicenceIssuer", "ObjectReader", "PathwayDirectory", "StoredObject"]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object without its content. `etag` is quoted, ready for the header."""

    path: str
    size_bytes: int
    etag: str


class ObjectReader(Protocol):
    """Reads the object store."""

    async def head(self, path: str) -> StoredObject | None:
        """One object; None when there is none."""
        ...

    async def read(self, path: str) -> bytes:
        """All of a small object; raises FileNotFoundError."""
        ...

    def stream(self, path: str, byte_range: ByteRange) -> AsyncIterator[bytes]:
        """A part of an object, in chunks."""
        ...

    async def put(self, path: str, content: bytes) -> None:
        """Store a small object."""
        ...


class LicenceIssuer(Protocol):
    """The licensing service."""

    async def issue(self, playback_token: str, message: bytes) -> bytes:
        """The Clear Key licence; raises ServiceError."""
        ...


class PathwayDirectory(Protocol):
    """The steering service."""

    async def base_urls(self) -> Mapping[str, str]:
        """Base address by pathway id; what was last known when the service is away, else empty."""
        ...

    async def steering_manifest(
        self, media_token: str, protocol: str, current: Sequence[str], throughputs_bps: Sequence[int]
    ) -> bytes:
        """A session's steering manifest; raises ServiceError."""
        ...


class ArtworkMasters(Protocol):
    """Artwork in its original size."""

    async def fetch(self, title_id: str, role: str, variant: str) -> bytes | None:
        """The image file; None when there is no such artwork. Raises ServiceError UNAVAILABLE."""
        ...


class CmcdSink(Protocol):
    """Takes records of what players tell."""

    def offer(self, record: Mapping[str, str]) -> bool:
        """Take a record without waiting; false when there are too many."""
        ...
