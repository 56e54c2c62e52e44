"""Editorial collections: what editors save is on the pages of this process at once, and of others after a moment."""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from common.errors import ServiceError
from common.tokens import Viewer
from subgraphs.recommendations.domain.collections import MAX_COLLECTIONS, Collection, check_collection
from subgraphs.recommendations.ports import CollectionStore

__all__ = ["EDITOR_SCOPES", "EditCollections", "KnownCollections", "NotAnEditor", "UnusableCollection"]

log = structlog.get_logger(__name__)

EDITOR_SCOPES = frozenset({"editor", "studio"})
GOOD_FOR = timedelta(seconds=15)


class NotAnEditor(Exception):
    """The viewer has none of the scopes."""


class UnusableCollection(Exception):
    """The message names the field, the value and what is wanted."""


@dataclass(frozen=True, slots=True)
class KnownCollections:
    """`version` is another one whenever the collections are; at an instant of `edges` one of them opens or closes."""

    collections: Sequence[Collection]
    version: int
    good_until: datetime
    edges: Sequence[datetime] = ()

    def version_at(self, now: datetime) -> tuple[int, int]:
        """Another one whenever others may be open."""
        return self.version, bisect_right(self.edges, now)


class EditCollections:
    """Every edit leaves who, when, what was before and what is after."""

    def __init__(self, store: CollectionStore) -> None:
        self._store = store
        self._known = KnownCollections((), 0, datetime.min.replace(tzinfo=UTC))
        self._edit_count = 0

    async def for_pages(self, now: datetime) -> KnownCollections:
        """All of them, as they were a few seconds ago at most; the last known ones while the store is away."""
        known = self._known
        if now < known.good_until:
            return known
        edit_count = self._edit_count
        try:
            found = tuple(await self._store.all_collections())
        except ServiceError as error:
            log.warning("collections.unread", error=error.message)
            return known
        if edit_count != self._edit_count:
            # Edited here meanwhile: what was read may be from before.
            return await self.for_pages(now)
        # What is known now, as others may have read meanwhile, and a version is of one state.
        known = self._known
        edges = sorted(edge for each in found for edge in (each.opens_at, each.closes_at) if edge is not None)
        version = known.version + (found != known.collections)
        self._known = KnownCollections(found, version, now + GOOD_FOR, edges)
        return self._known

    async def all(self, viewer: Viewer) -> Sequence[Collection]:
        """For editors; raises NotAnEditor."""
        _editor(viewer)
        return await self._store.all_collections()

    async def save(self, viewer: Viewer, collection: Collection, now: datetime) -> Collection:
        """Insert, with an id of its own when it has none, or replace. Raises NotAnEditor, UnusableCollection."""
        account_id = _editor(viewer)
        named = replace(
            collection, id=collection.id or f"col_{uuid.uuid4().hex[:16]}", heading=collection.heading.strip()
        )
        problem = check_collection(named)
        if problem is None and not await self._store.save(named, account_id, now):
            problem = f"there are {MAX_COLLECTIONS} collections, which is the most; remove one first"
        if problem is not None:
            raise UnusableCollection(problem)
        self._forget()
        return named

    async def remove(self, viewer: Viewer, collection_id: str, now: datetime) -> bool:
        """Whether it was there. Raises NotAnEditor."""
        removed = await self._store.remove(collection_id, _editor(viewer), now)
        self._forget()
        return removed

    def _forget(self) -> None:
        self._edit_count += 1
        self._known = replace(self._known, good_until=datetime.min.replace(tzinfo=UTC))


def _editor(viewer: Viewer) -> str:
    if viewer.account_id is None or not EDITOR_SCOPES & viewer.scopes:
        raise NotAnEditor
    return viewer.account_id
