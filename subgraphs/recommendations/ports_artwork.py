"""What choosing and learning artwork needs from outside. Adapters live in `adapters/`; failures are ServiceErrors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from subgraphs.recommendations.domain.artwork_choice import ArtworkContext, ArtworkDecision, PolicyVersion
from subgraphs.recommendations.ports_versions import VersionStore

__all__ = ["ArtworkContexts", "ArtworkLog", "PolicyStore"]


class ArtworkContexts(Protocol):
    """What choices for a profile depend on, held still for an epoch, so that its pictures stay while it watches on."""

    async def find(self, profile_id: str, epoch: int) -> ArtworkContext | None:
        """What is held for the epoch; None: nothing yet."""
        ...

    async def hold(self, profile_id: str, context: ArtworkContext) -> ArtworkContext:
        """Hold it unless something is held for its epoch already; what is held now."""
        ...

    async def forget(self, profile_id: str) -> None:
        """Everything of a profile."""
        ...


class ArtworkLog(Protocol):
    """What profiles were shown, and whether they opened it.

    One entry per profile, title, role, variant, policy and epoch.
    """

    async def add(self, decision: ArtworkDecision) -> None:
        """Remember it; of one that is known, only that it was opened."""
        ...

    def decisions(self, since: datetime, limit: int) -> AsyncIterator[ArtworkDecision]:
        """Those shown since then, the latest first, at most `limit`."""
        ...

    async def forget_before(self, before: datetime) -> int:
        """Delete what was shown before then; how many entries."""
        ...

    async def forget(self, profile_id: str) -> None:
        """Everything of a profile."""
        ...


PolicyStore = VersionStore[PolicyVersion]
"""Learned policies by version, as objects."""
