"""Writing the catalogue: what sources say, what the media side reports. By hand is `editing.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.domain.title import Media, Person, PersonId, Season, Title, TitleKind, fingerprint, match_key
from subgraphs.titles.ports import NO_PERSON_EDITS, NO_REVISIONS, AuditEntry, TitleStore
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

        Media, withdrawal, what was edited by hand and the day of arrival stay as they are. A title that another source
        brought under the same kind, name and year is not created a second time. Seasons that are there already stay as
        they are, too: their names may have been set by hand. Ids must be distinct.
        """
        async with self._deciding:
            edits = await self._catalogue.person_edits()
            titles = [_with_people(title, edits) for title in titles]
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
            added = await self._new_seasons(seasons, {title.id for title in created})
            if created or updated or added:
                await self.save([*created, *updated], added, before=before)
        return Taken(
            created=len(created),
            updated=len(updated),
            unchanged=len(titles) - len(new) - len(updated),
            matched=len(new) - len(created),
        )

    async def delist(self, title_ids: Sequence[TitleId]) -> int:
        """Take out of every door what a source lists no longer; returns how many there were to take.

        `take` brings a delisted title back when its source lists it again.
        """
        async with self._deciding:
            found = (await self._store.titles(title_ids)).values()
            listed = [_next(title, is_delisted=True) for title in found if not title.is_delisted]
            if listed:
                await self._save([*listed, *await self.dependants(listed)])
        return len(listed)

    @asynccontextmanager
    async def deciding(self) -> AsyncIterator[None]:
        """What is read inside the block stays as it is until the block ends; `save` belongs inside."""
        async with self._deciding:
            yield

    async def save(
        self,
        titles: Sequence[Title],
        seasons: Sequence[Season] = (),
        *,
        person_edits: Mapping[PersonId, Person] = NO_PERSON_EDITS,
        audit: AuditEntry | None = None,
        before: Mapping[TitleId, Title] | None = None,
        seen: Mapping[TitleId, int] = NO_REVISIONS,
    ) -> None:
        """Write inside `deciding`. What hangs on titles with other facts than before is announced again with them.

        `before` is how the store has those of the titles that it has, for callers who know it. Raises StaleWrite when
        another process has written a title of `seen` since that revision.
        """
        if before is None:
            before = await self._store.titles([title.id for title in titles])
        parents = [title for title in titles if title.id in before and title.facts != before[title.id].facts]
        written = {title.id for title in titles}
        touched = [title for title in await self.dependants(parents) if title.id not in written] if parents else []
        await self._save([*titles, *touched], seasons, person_edits=person_edits, audit=audit, seen=seen)

    async def set_media(self, title_id: TitleId, change: Callable[[Media], Media]) -> bool:
        """Change what can be played; the asset's duration counts where the source knew none. False: no such title."""
        async with self._deciding:
            title = (await self._store.titles([title_id])).get(title_id)
            if title is None:
                return False
            before, media = title.media.asset, change(title.media)
            changes: dict[str, Any] = {"media": media}
            # A length that is that of the film before was not the source's.
            is_measured = before is not None and title.duration_seconds == round(before.duration_seconds)
            if media.asset is not None and (title.duration_seconds is None or is_measured):
                changes["duration_seconds"] = round(media.asset.duration_seconds)
            if replace(title, **changes) != title:
                await self._save([_next(title, **changes)])
        return True

    async def _new_seasons(self, seasons: Sequence[Season], created: set[TitleId]) -> list[Season]:
        """Those that are not there yet, of series that are, or are about to be."""
        if not seasons:
            return []
        known = await self._store.seasons_by_id([season.id for season in seasons])
        new = {season.id: season for season in seasons if season.id not in known}
        series = created | set(await self._store.digests([season.series_id for season in new.values()]))
        return [season for season in new.values() if season.series_id in series]

    async def _other_sources(self, new: Sequence[Title]) -> set[str]:
        by_source: dict[str, list[str]] = {}
        for title in new:
            if title.series_id is None:
                by_source.setdefault(title.origin.source, []).append(_match(title))
        found: set[str] = set()
        for source, keys in by_source.items():
            found |= set(await self._store.titles_matching(keys, except_source=source))
        return found

    async def dependants(self, parents: Sequence[Title]) -> list[Title]:
        """Episodes of series and videos of either: their snapshots tell what their parents allow."""
        ids = [title.id for title in parents if title.kind in {TitleKind.MOVIE, TitleKind.SERIES}]
        episodes, videos = await self._store.episodes_of(ids), await self._store.videos_of(ids)
        found = [slot.title_id for parent_id in ids for slot in episodes.get(parent_id, ())]
        found += [slot.title_id for parent_id in ids for slot in videos.get(parent_id, ())]
        return list((await self._store.titles(found)).values())

    async def _save(
        self,
        titles: Sequence[Title],
        seasons: Sequence[Season] = (),
        *,
        person_edits: Mapping[PersonId, Person] = NO_PERSON_EDITS,
        audit: AuditEntry | None = None,
        seen: Mapping[TitleId, int] = NO_REVISIONS,
    ) -> None:
        await self._store.save(titles, seasons, person_edits=person_edits, audit=audit, seen=seen)
        self._catalogue.replace(titles, person_edits)
        self._on_change()


def _match(title: Title) -> str:
    return match_key(title.kind, title.display_name, title.release_year)


def _next(title: Title, **changes: Any) -> Title:
    return replace(title, revision=title.revision + 1, **changes)


def _with_people(title: Title, edits: Mapping[PersonId, Person]) -> Title:
    """The people of the credits as they were renamed or merged by hand."""
    if not any(credit.person.id in edits for credit in title.credits):
        return title
    lines = (replace(credit, person=edits.get(credit.person.id, credit.person)) for credit in title.credits)
    return replace(title, credits=tuple(dict.fromkeys(lines)))


def _kept(title: Title, before: Title) -> Title:
    """What a source says now, with what is ours from before."""
    edited = {name: getattr(before, name) for name in before.edited_fields}
    if title.duration_seconds is None and before.media.asset is not None:
        edited["duration_seconds"] = before.duration_seconds
    return replace(
        title,
        **edited,
        media=before.media,
        is_withdrawn=before.is_withdrawn,
        added_at=before.added_at,
        revision=before.revision + 1,
        edited_fields=before.edited_fields,
        artwork_weights=before.artwork_weights,
    )
