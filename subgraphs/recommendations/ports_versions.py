"""What is learned comes in versions, kept as objects: the models, and the policies of artwork."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from subgraphs.recommendations.domain.model_versions import VersionT

__all__ = ["VersionStore"]


class VersionStore(Protocol[VersionT]):
    """Versions of one kind. Failures are ServiceErrors."""

    async def put(self, version: VersionT, content: bytes) -> None:
        """Keep a version; it is listed only once its bytes are there."""
        ...

    async def versions(self) -> Sequence[VersionT]:
        """All that are kept, the newest first."""
        ...

    async def read(self, version: VersionT) -> bytes:
        """Its bytes, checked against their sum. Raises ServiceError NOT_FOUND, or INTERNAL when they are damaged."""
        ...

    async def delete(self, version_id: str) -> None:
        """Forget a version; nothing happens when it is not there."""
        ...
