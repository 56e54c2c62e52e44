"""Keeps the facts about titles up to date from the titles subgraph's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from common.events import Event
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import facts_from_snapshot
from subgraphs.profiles.domain.lists import KnownTitle
from subgraphs.profiles.ports import TitleFactsStore

__all__ = ["TitleNews"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TitleNews:
    """The handler of topic `titles`: the newest form wins, so that repeated and late events do no harm."""

    titles: TitleFactsStore

    async def handle(self, event: Event) -> None:
        """Raises KeyError, TypeError or ValueError for an event that has another shape; others of its kind pass by."""
        match event.kind:
            case "title.changed":
                known = [_known_title(snapshot) for snapshot in event.data["titles"]]
                await self.titles.put_titles(known, event.occurred_at)
            case "title.withdrawn":
                await self.titles.withdraw_titles([TitleId(id_) for id_ in event.data["titleIds"]], event.occurred_at)
            case _:
                log.debug("titles.event_ignored", kind=event.kind)


def _known_title(snapshot: Mapping[str, Any]) -> KnownTitle:
    return KnownTitle(TitleId(str(snapshot["id"])), str(snapshot["kind"]), facts_from_snapshot(snapshot))
