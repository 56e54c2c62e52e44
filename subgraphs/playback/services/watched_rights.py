"""Whether what is being watched may still be seen, asked with every heartbeat and therefore mostly from memory.

A title that is withdrawn, blocked or no longer offered while somebody watches it stops within KNOWN_FOR and one more
heartbeat.
The subscription is not asked again: what was paid for when a film was started is watched to its end.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

import structlog

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import TitleFacts
from subgraphs.playback.domain.rights import check_sight
from subgraphs.playback.domain.sessions import PlayRefusal
from subgraphs.playback.ports import TitleCatalogue

__all__ = ["KNOWN_FOR", "WatchedRights"]

log = structlog.get_logger(__name__)

KNOWN_FOR = timedelta(seconds=10)
"""As long as the shortest pause between heartbeats: a title costs its store a read for each, however many watch it."""
TITLES_KEPT = 5_000


class WatchedRights:
    """Facts of the titles that are being watched, by when they were read."""

    def __init__(self, catalogue: TitleCatalogue) -> None:
        self._catalogue = catalogue
        self._known: OrderedDict[TitleId, tuple[datetime, TitleFacts | None]] = OrderedDict()

    async def refusal(self, viewer: Viewer, title_id: TitleId, now: datetime) -> PlayRefusal | None:
        """Why the viewer must stop; None while they may go on, also while the catalogue can't be asked."""
        known = self._known.get(title_id)
        if known is None or not known[0] <= now < known[0] + KNOWN_FOR:
            try:
                title = (await self._catalogue.titles_by_id([title_id])).get(title_id)
            except ServiceError as error:
                log.warning("rights.not_read", title_id=title_id, error=error.message)
                return None
            known = (now, None if title is None else title.facts)
            self._known[title_id] = known
            self._known.move_to_end(title_id)
            if len(self._known) > TITLES_KEPT:
                self._known.popitem(last=False)
        facts = known[1]
        return PlayRefusal.NOT_FOUND if facts is None else check_sight(viewer, facts, now)
