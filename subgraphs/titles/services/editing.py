"""What the studio changes by hand, one act at a time: read, compare the revision, change, write with an audit entry.

Whoever changes a title says which revision they saw. When it has another one by now, nothing is written and the act
is answered with the title as it is: two people who edit one title never overwrite each other unseen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import TitleId, new_id
from subgraphs.titles.domain.audit_trail import EDITABLE_FIELDS, described_season, described_title, differences
from subgraphs.titles.domain.title import Credit, Person, PersonId, Season, SeasonId, Title
from subgraphs.titles.ports import AuditEntry, StaleWrite, TitleStore
from subgraphs.titles.services.catalogue import Catalogue
from subgraphs.titles.services.writing import CatalogueWriter

__all__ = ["MAX_TITLES_OF_PERSON", "BadInput", "CatalogueEditor", "Edited", "Stale", "TooMany", "Unknown"]

MAX_TRIES = 10
"""Times that another process may write the same title in between."""
MAX_TITLES_OF_PERSON = 2_000
"""Rewritten in one act: more than anybody was ever credited in."""


class BadInput(Exception):
    """An input can't be used; `problems` says why, by field path."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {problem}" for path, problem in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such title, season or person."""

    id: str


@dataclass(frozen=True, slots=True)
class Stale:
    """The title has another revision than the one that was seen; this is how it is."""

    current: Title


@dataclass(frozen=True, slots=True)
class TooMany:
    """A person is credited in more titles than one act rewrites."""

    limit: int


Edited = Title | Unknown | Stale


class CatalogueEditor:
    """Writes by hand. Who may do it was decided before."""

    def __init__(self, writer: CatalogueWriter, catalogue: Catalogue, store: TitleStore, clock: Clock) -> None:
        self._writer = writer
        self._catalogue = catalogue
        self._store = store
        self._clock = clock

    async def create(
        self, title: Title, account_id: str, *, check: Callable[[], Awaitable[None]] | None = None
    ) -> Title:
        """A new title; a series, film or season that it belongs to must be there.

        `check` may raise BadInput; what it reads stays as it is until the title is written.
        """
        async with self._writer.deciding():
            if check is not None:
                await check()
            audit = self._entry(account_id, "create", title.id, {}, described_title(title))
            await self._writer.save([title], audit=audit)
        return title

    async def edit(
        self,
        title_id: TitleId,
        seen_revision: int | None,
        account_id: str,
        action: str,
        change: Callable[[Title], Title],
    ) -> Edited:
        """The title after `change`, which may raise BadInput; unchanged when it changes nothing.

        `seen_revision` None: whatever the title is now, as for acts that can't overwrite anything.
        """
        for _ in range(MAX_TRIES):
            with suppress(StaleWrite):
                return await self._edit_once(title_id, seen_revision, account_id, action, change)
        raise ServiceError(ErrorKind.ABORTED, f"title {title_id} changes too often at the moment; try again")

    async def _edit_once(
        self,
        title_id: TitleId,
        seen_revision: int | None,
        account_id: str,
        action: str,
        change: Callable[[Title], Title],
    ) -> Edited:
        """Raises StaleWrite when another process was faster."""
        async with self._writer.deciding():
            before = (await self._store.titles([title_id])).get(title_id)
            if before is None:
                return Unknown(title_id)
            if seen_revision is not None and seen_revision != before.revision:
                return Stale(before)
            after = change(before)
            if after == before:
                return before
            edited = {name for name in EDITABLE_FIELDS if getattr(before, name) != getattr(after, name)}
            after = replace(after, revision=before.revision + 1, edited_fields=before.edited_fields | edited)
            changes = differences(described_title(before), described_title(after))
            parts = await self._inheriting(before, after)
            seen = {part.id: part.revision - 1 for part in (after, *parts)}
            await self._writer.save(
                [after, *parts], audit=self._entry(account_id, action, title_id, *changes), seen=seen
            )
        return after

    async def put_season(self, season: Season, account_id: str) -> Season | Unknown:
        """A new season, or an old one by its id; its number must be free, or BadInput is raised."""
        async with self._writer.deciding():
            series = (await self._store.titles([season.series_id])).get(season.series_id)
            if series is None:
                return Unknown(season.series_id)
            seasons = (await self._store.seasons_of([series.id])).get(series.id, ())
            if any(other.number == season.number and other.id != season.id for other in seasons):
                raise BadInput({"input.number": f"is {season.number}; the series has that season already"})
            before = next((other for other in seasons if other.id == season.id), None)
            if before == season:
                return season
            changes = differences({} if before is None else described_season(before), described_season(season))
            action = "createSeason" if before is None else "updateSeason"
            changed = [series]
            if before is not None and before.number != season.number:
                changed += await self._renumbered(season)
            audit = self._entry(account_id, action, series.id, *changes)
            titles = [replace(title, revision=title.revision + 1) for title in changed]
            await self._writer.save(titles, [season], audit=audit)
        return season

    async def with_people(self, lines: Sequence[Credit]) -> list[Credit]:
        """Lines of credits whose people are those that were renamed or merged since."""
        edits = await self._catalogue.person_edits()
        return [replace(line, person=edits.get(line.person.id, line.person)) for line in lines]

    async def season(self, season_id: SeasonId) -> Season | None:
        """A season, whether or not anybody may see it."""
        return (await self._store.seasons_by_id([season_id])).get(season_id)

    async def title(self, title_id: TitleId) -> Title | None:
        """A title, whether or not anybody may see it."""
        return (await self._store.titles([title_id])).get(title_id)

    async def rename_person(
        self, person_id: PersonId, display_name: str, account_id: str
    ) -> Person | Unknown | TooMany:
        """The person under another name, on all credits; sources that know the old name do not change it back."""
        async with self._writer.deciding():
            found = await self._credited(person_id)
            if not isinstance(found, _Credited):
                return found
            renamed = replace(found.person, display_name=display_name)
            if renamed != found.person:
                changes = {"displayName": found.person.display_name}, {"displayName": display_name}
                await self._rewrite([found], renamed, self._entry(account_id, "renamePerson", person_id, *changes))
        return renamed

    async def merge_people(self, merged_id: PersonId, into_id: PersonId, account_id: str) -> Person | Unknown | TooMany:
        """One person for two: the credits of `merged_id` are those of `into_id` from now on, also in later imports."""
        async with self._writer.deciding():
            merged, into = await self._credited(merged_id), await self._credited(into_id)
            if not isinstance(merged, _Credited):
                return merged
            if not isinstance(into, _Credited):
                return into
            before = {"merged": {"id": merged_id, "displayName": merged.person.display_name}}
            after = {"titles": [title.id for title in merged.titles]}
            await self._rewrite([merged], into.person, self._entry(account_id, "mergePeople", into_id, before, after))
        return into.person

    async def _inheriting(self, before: Title, after: Title) -> list[Title]:
        """Episodes and videos with the age limit that their parent had, with the one that it has now."""
        had, has = _age_limit(before), _age_limit(after)
        if had == has:
            return []
        return [
            replace(part, revision=part.revision + 1, **has)
            for part in await self._writer.dependants([before])
            if _age_limit(part) == had
        ]

    async def _renumbered(self, season: Season) -> list[Title]:
        """The episodes of a season, with its number as it is now, and the one before them: another one follows it."""
        slots = (await self._store.episodes_of([season.series_id])).get(season.series_id, ())
        moved = [slot.title_id for slot in slots if slot.season_id == season.id]
        before = [one.title_id for one, following in pairwise(slots) if following.title_id in moved[:1]]
        episodes = await self._store.titles([*before, *moved])
        return [
            replace(episode, season_number=season.number) if episode.season_id == season.id else episode
            for episode in episodes.values()
        ]

    async def _credited(self, person_id: PersonId) -> _Credited | Unknown | TooMany:
        ids = await self._store.titles_of_person(person_id, MAX_TITLES_OF_PERSON + 1)
        if len(ids) > MAX_TITLES_OF_PERSON:
            return TooMany(MAX_TITLES_OF_PERSON)
        titles = tuple((await self._store.titles(ids)).values())
        for title in titles:
            for credit in title.credits:
                if credit.person.id == person_id:
                    return _Credited(credit.person, titles)
        return Unknown(person_id)

    async def _rewrite(self, found: Sequence[_Credited], person: Person, audit: AuditEntry) -> None:
        replaced = {one.person.id for one in found}
        edits = {
            source_id: person
            for source_id, stands_for in (await self._catalogue.person_edits()).items()
            if stands_for.id in replaced
        }
        edits.update(dict.fromkeys(replaced, person))
        titles = {title.id: title for one in found for title in one.titles}
        changed = [
            replace(
                title,
                revision=title.revision + 1,
                # Two lines that differed only in who it was are one line now.
                credits=tuple(
                    dict.fromkeys(
                        replace(credit, person=person) if credit.person.id in replaced else credit
                        for credit in title.credits
                    )
                ),
            )
            for title in titles.values()
        ]
        await self._writer.save(changed, person_edits=edits, audit=audit)

    def _entry(
        self, account_id: str, action: str, subject_id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> AuditEntry:
        now = self._clock.now()
        return AuditEntry(new_id("aud", now), now, account_id, action, subject_id, before, after)


def _age_limit(title: Title) -> dict[str, Any]:
    return {name: getattr(title, name) for name in ("minimum_age", "is_age_certified", "is_kids", "certificates")}


@dataclass(frozen=True, slots=True)
class _Credited:
    """A person and every title that credits them."""

    person: Person
    titles: tuple[Title, ...]
