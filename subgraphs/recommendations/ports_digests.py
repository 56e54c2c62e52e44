"""What digests need from outside. Failures are ServiceErrors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from common.events import Event
from subgraphs.recommendations.domain.digests import Subscriber

__all__ = ["DigestTurn", "Subscribers"]


class Subscribers(Protocol):
    """Profiles that get digests, and the week of the last one; what is older than what is known changes nothing."""

    async def put(self, subscriber: Subscriber, week: str, at: datetime) -> None:
        """Insert, or replace who it is; a new one has had its digest of `week`: its first mail comes with the next."""
        ...

    async def stop(self, profile_ids: Sequence[str], at: datetime) -> None:
        """No more digests; what was mailed stays known, so that switching on again brings nothing twice."""
        ...

    async def forget(self, profile_ids: Sequence[str]) -> None:
        """They are gone."""
        ...

    async def due(self, week: str, after: str, limit: int) -> Sequence[Subscriber]:
        """Who had none in this week yet, by profile id above `after`."""
        ...

    async def composed(self, subscriber: Subscriber, week: str, title_ids: Sequence[str]) -> None:
        """The week is done for the profile, with these titles or with none."""
        ...


class DigestTurn(Protocol):
    """Whose turn it is to compose, and where it is told."""

    async def take(self, owner: str, life_s: float) -> bool:
        """Become the one that composes, for `life_s`, or stay so; False while another is."""
        ...

    async def give_back(self, owner: str) -> None:
        """Let others compose; nothing happens when it is another's turn."""
        ...

    async def tell(self, event: Event) -> None:
        """Publish."""
        ...
