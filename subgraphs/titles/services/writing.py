"""Writing the catalogue: what sources say, what the studio does by hand, what the media side reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.title import Media, Season, Title, fingerprint, match_key
from subgraphs.titles.ports import AuditEntry, TitleStore
from subgraphs.titles.services.catalogue import Catalogue

__all__ = ["CatalogueWriter", "Taken"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch from a source; `matched` titles were there already, from another source."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    matched: int = 0

    def __add__(self, other: Taken) -> Taken:
        """Counts of both."""
        return Taken(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.matched + other.matched,
        )


class CatalogueWriter:
    """The one place that writes titles; after each write the cache is told and `on_change` is called."""

    def __init__(self, store: TitleStore, catalogue: Catalogue, on_change: Callable[[], None]) -> None:
        self._store = store
        self._catalogue = catalogue
        self._on_change = on_change
        # Read, decide, write: two of these at once would decide on what the other is about to change.
        self._deciding = asyncio.Lock()

    async def take(self, titles: Sequence[Title], seasons: Sequence[Season] = ()) -> Taken:
        """What a source says: new titles are created, changed ones replaced, equal ones left alone.

        Media, withdrawal and the day of arrival stay as they are. A title that another source brought under the same
        kind, name and year is not created a second time. Ids must be distinct.
        """
        async with self._deciding:
            digests = await self._store.digests([title.id for title in titles])
            new = [title for title in titles if title.id not in digests]
            elsewhere = await self._other_sources(new)
            left_out = {title.id for title in new if title.series_id is None and _match(title) in elsewhere}
            created = [title for title in new if title.id not in left_out and title.series_id not in left_out]
            differing = [title for title in titles if title.id in digests and digests[title.id] != fingerprint(title)]
            before = await self._store.titles([title.id for title in differing])
            # A difference that is only what we keep (a duration measured from the asset) is none.
            kept = [_kept(title, before[title.id]) for title in differing]
            updated = [title for title in kept if digests[title.id] != fingerprint(title)]
            if created or updated:
                wanted = {title.id for title in (*created, *updated)}
                await self._save([*created, *updated], [season for season in seasons if season.series_id in wanted])
        return Taken(
            created=len(created),
            updated=len(updated),
            unchanged=len(titles) - len(new) - len(updated),
            matched=len(new) - len(created),
        )

    async def create(self, title: Title, audit: AuditEntry) -> None:
        """One title by hand."""
        async with self._deciding:
            await self._save([title], audit=audit)

    async def withdraw(self, title_id: TitleId, account_id: str, at: datetime) -> bool:
        """Take a title, and with a series all its episodes, out of every door; False when there is no such title."""
        async with self._deciding:
            found = await self._store.titles([title_id])
            title = found.get(title_id)
            if title is None or title.is_withdrawn:
                return False
            slots = (await self._store.episodes_of([title_id])).get(title_id, ())
            episodes = (await self._store.titles([slot.title_id for slot in slots])).values()
            audit = AuditEntry(at, account_id, "withdraw", title_id, {"episodes": len(slots)})
            await self._save([replace(each, is_withdrawn=True) for each in (title, *episodes)], audit=audit)
        return True

    async def set_media(self, title_id: TitleId, change: Callable[[Media], Media], duration_s: float | None) -> bool:
        """Change what can be played; the asset's duration counts where the source knew none."""
        async with self._deciding:
            title = (await self._store.titles([title_id])).get(title_id)
            if title is None:
                return False
            changes: dict[str, Any] = {"media": change(title.media)}
            if title.duration_seconds is None and duration_s is not None:
                changes["duration_seconds"] = round(duration_s)
            changed = replace(title, **changes)
            if changed != title:
                await self._save([changed])
        return True

    async def _other_sources(self, new: Sequence[Title]) -> set[str]:
        by_source: dict[str, list[str]] = {}
        for title in new:
            if title.series_id is None:
                by_source.setdefault(title.origin.source, []).append(_match(title))
        found: set[str] = set()
        for source, keys in by_source.items():
            found |= set(await self._store.titles_matching(keys, except_source=source))
        return found

    async def _save(
        self, titles: Sequence[Title], seasons: Sequence[Season] = (), audit: AuditEntry | None = None
    ) -> None:
        await self._store.save(titles, seasons, audit=audit)
        self._catalogue.replace(titles)
        self._on_change()


def _match(title: Title) -> str:
    return match_key(title.kind, title.display_name, title.release_year)


def _kept(title: Title, before: Title) -> Title:
    """What a source says now, with what is ours from before."""
    duration = title.duration_seconds
    if duration is None and before.media.asset is not None:
        duration = before.duration_seconds
    return replace(
        title,
        duration_seconds=duration,
        media=before.media,
        is_withdrawn=before.is_withdrawn,
        added_at=before.added_at,
    )
