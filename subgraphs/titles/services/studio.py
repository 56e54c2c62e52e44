"""What the studio does to titles by hand. Needs scope `studio` or `catalogue:write`; each act leaves an audit entry.

Every method raises NotAllowed before it looks at anything else, and BadInput with all that is wrong with an input.
What an act is about is found whether or not the one who acts may see it: a withdrawn title can be restored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from common.clock import Clock
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId, new_id
from subgraphs.kernel.pagination import Page, PageRequest
from subgraphs.titles.domain.certificates import known_codes
from subgraphs.titles.domain.title import (
    Credit,
    Genre,
    Origin,
    Season,
    SeasonId,
    Title,
    TitleKind,
    VideoKind,
    genre_named,
)
from subgraphs.titles.domain.title_input import NewTitle, clean_name, name_problem, patch_problems, problems_of
from subgraphs.titles.ports import AuditEntry, TitleStore
from subgraphs.titles.services.editing import BadInput, CatalogueEditor, Edited, Unknown

__all__ = ["STUDIO_SCOPES", "NewPart", "NotAllowed", "StudioService", "TitleToChange", "require_studio"]

STUDIO_SCOPES = frozenset({"studio", "catalogue:write"})
"""Either lets an account change the catalogue; `studio` lets it upload, too."""
MAX_CREDITS = 500
MAX_VIDEOS_PER_TITLE = 200
MAX_EPISODES_PER_SERIES = 20_000
MAX_NUMBER = 100_000
EPISODE_POPULARITY_RATIO = 0.2
"""Of the series' popularity: viewers look for the series."""


class NotAllowed(Exception):
    """The viewer has none of the scopes."""


@dataclass(frozen=True, slots=True)
class TitleToChange:
    """Which title, and the revision that whoever changes it saw."""

    title_id: TitleId
    revision: int


@dataclass(frozen=True, slots=True)
class NewPart:
    """What a studio says of a new episode or video."""

    display_name: str
    synopsis: str = ""
    release_year: int | None = None
    duration_seconds: int | None = None

    def problems(self, this_year: int) -> dict[str, str]:
        """What is wrong, by field path."""
        patch = {
            "displayName": self.display_name,
            "synopsis": self.synopsis,
            "releaseYear": self.release_year,
            "durationSeconds": self.duration_seconds,
        }
        return patch_problems(patch, this_year)


class StudioService:
    """Creates, changes, withdraws and restores; reads what only the studio may read."""

    def __init__(self, editor: CatalogueEditor, store: TitleStore, clock: Clock) -> None:
        self._editor = editor
        self._store = store
        self._clock = clock

    async def create(self, viewer: Viewer, new: NewTitle) -> Title:
        """A film or series, available everywhere, with nothing to play yet."""
        account_id = require_studio(viewer)
        now = self._clock.now()
        _refuse(problems_of(new, now.year))
        title_id = TitleId(new_id(new.kind.id_prefix, now))
        title = Title(
            id=title_id,
            kind=new.kind,
            display_name=clean_name(new.display_name),
            origin=Origin("studio", title_id),
            added_at=now,
            synopsis=new.synopsis.strip(),
            release_year=new.release_year,
            duration_seconds=new.duration_seconds,
            genres=_genres(new.genres),
            origin_country=new.origin_country,
            original_language=new.original_language,
            # Nobody said for whom it is: grown-ups, until a certificate says more. A kids title must have one.
            minimum_age=18 if new.certificate is None else known_codes()[new.certificate],
            is_age_certified=new.certificate is not None,
            is_kids=new.is_kids,
        )
        return await self._editor.create(title, account_id)

    async def update(self, viewer: Viewer, target: TitleToChange, patch: Mapping[str, Any]) -> Edited:
        """Change what `patch` names, by GraphQL names; a value of None clears a field that may be empty."""
        account_id = require_studio(viewer)
        _refuse(patch_problems(patch, self._clock.now().year))
        changes = {_FIELD_BY_NAME[name]: _read(name, value) for name, value in patch.items()}
        return await self._editor.edit(
            target.title_id, target.revision, account_id, "update", lambda title: replace(title, **changes)
        )

    async def set_credits(self, viewer: Viewer, target: TitleToChange, lines: Sequence[Credit]) -> Edited:
        """The whole credits, in order of billing."""
        account_id = require_studio(viewer)
        if len(lines) > MAX_CREDITS:
            raise BadInput({"input.credits": f"has {len(lines)} lines; give at most {MAX_CREDITS}"})
        named = {
            f"input.credits.{n}.displayName": name_problem(line.person.display_name) for n, line in enumerate(lines)
        }
        _refuse({path: problem for path, problem in named.items() if problem is not None})
        credits_ = tuple(dict.fromkeys(await self._editor.with_people(lines)))
        return await self._editor.edit(
            target.title_id, target.revision, account_id, "setCredits", lambda title: replace(title, credits=credits_)
        )

    async def withdraw(self, viewer: Viewer, title_id: TitleId) -> bool:
        """False when there is no such title, or it was withdrawn before."""
        account_id = require_studio(viewer)
        was_there = False

        def change(title: Title) -> Title:
            nonlocal was_there
            was_there = not title.is_withdrawn
            return replace(title, is_withdrawn=True)

        await self._editor.edit(title_id, None, account_id, "withdraw", change)
        return was_there

    async def restore(self, viewer: Viewer, title_id: TitleId) -> Edited:
        """The title as before it was withdrawn; one that was not stays as it is."""
        account_id = require_studio(viewer)
        return await self._editor.edit(
            title_id, None, account_id, "restore", lambda title: replace(title, is_withdrawn=False)
        )

    async def create_season(
        self, viewer: Viewer, series_id: TitleId, number: int, display_name: str
    ) -> Season | Unknown:
        """A season without episodes."""
        account_id = require_studio(viewer)
        _refuse(_season_problems(number, display_name))
        series = await self._editor.title(series_id)
        if series is None or series.kind is not TitleKind.SERIES:
            return Unknown(series_id)
        season_id = SeasonId(new_id("sea", self._clock.now()))
        return await self._editor.put_season(Season(season_id, series_id, number, clean_name(display_name)), account_id)

    async def update_season(
        self, viewer: Viewer, season_id: SeasonId, number: int, display_name: str
    ) -> Season | Unknown:
        """Its number and name; its episodes go with it."""
        account_id = require_studio(viewer)
        _refuse(_season_problems(number, display_name))
        season = await self._editor.season(season_id)
        if season is None:
            return Unknown(season_id)
        changed = replace(season, number=number, display_name=clean_name(display_name))
        return await self._editor.put_season(changed, account_id)

    async def create_episode(self, viewer: Viewer, season_id: SeasonId, number: int, new: NewPart) -> Title | Unknown:
        """An episode with the rights, genres and credits of its series."""
        account_id = require_studio(viewer)
        problems = new.problems(self._clock.now().year)
        if not 1 <= number <= MAX_NUMBER:
            problems["input.number"] = f"is {number}; give 1 to {MAX_NUMBER}"
        _refuse(problems)
        season = await self._editor.season(season_id)
        series = None if season is None else await self._editor.title(season.series_id)
        if season is None or series is None:
            return Unknown(season_id)
        series_id = series.id

        async def check() -> None:
            slots = (await self._store.episodes_of([series_id])).get(series_id, ())
            if any(slot.season_id == season_id and slot.number == number for slot in slots):
                raise BadInput({"input.number": f"is {number}; the season has that episode already"})
            if len(slots) >= MAX_EPISODES_PER_SERIES:
                words = f"is of a series with {len(slots)} episodes, as many as one may have"
                raise BadInput({"input.seasonId": words})

        now = self._clock.now()
        episode = Title(
            kind=TitleKind.EPISODE,
            series_id=series.id,
            season_id=season_id,
            season_number=season.number,
            episode_number=number,
            popularity=series.popularity * EPISODE_POPULARITY_RATIO,
            **_part_of(series, new, TitleId(new_id(TitleKind.EPISODE.id_prefix, now)), now),
        )
        return await self._editor.create(episode, account_id, check=check)

    async def create_video(
        self, viewer: Viewer, of: TitleId | SeasonId, kind: VideoKind, new: NewPart
    ) -> Title | Unknown:
        """A trailer or bonus of a film, a series or a season, with its rights."""
        account_id = require_studio(viewer)
        _refuse(new.problems(self._clock.now().year))
        season = await self._editor.season(SeasonId(of))
        parent = await self._editor.title(TitleId(of) if season is None else season.series_id)
        if parent is None or parent.kind not in {TitleKind.MOVIE, TitleKind.SERIES}:
            return Unknown(of)
        parent_id = parent.id

        async def check() -> None:
            slots = (await self._store.videos_of([parent_id])).get(parent_id, ())
            if len(slots) >= MAX_VIDEOS_PER_TITLE:
                raise BadInput({"input.of": f"has {len(slots)} videos, as many as a title may have; withdraw some"})

        now = self._clock.now()
        video = Title(
            kind=TitleKind.VIDEO,
            video_of=parent.id,
            video_kind=kind,
            season_id=None if season is None else season.id,
            **_part_of(parent, new, TitleId(new_id(TitleKind.VIDEO.id_prefix, now)), now),
        )
        return await self._editor.create(video, account_id, check=check)

    async def title(self, viewer: Viewer, title_id: TitleId) -> Title | None:
        """A title as the studio sees it, whatever the policy says."""
        require_studio(viewer)
        return await self._editor.title(title_id)

    async def audit_log(self, viewer: Viewer, subject_id: str | None, request: PageRequest) -> Page[AuditEntry]:
        """What was done by hand, newest first; to one title or person, or to all of them."""
        require_studio(viewer)
        found = await self._store.audit_entries(subject_id, request)
        return Page.cut(found, request, lambda entry: (int(entry.at.timestamp() * 1_000_000), entry.id))


def require_studio(viewer: Viewer) -> str:
    """The account that acts; raises NotAllowed."""
    if viewer.account_id is None or not STUDIO_SCOPES & viewer.scopes:
        raise NotAllowed
    return viewer.account_id


def _refuse(problems: Mapping[str, str]) -> None:
    if problems:
        raise BadInput(problems)


def _season_problems(number: int, display_name: str) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not 0 <= number <= MAX_NUMBER:
        problems["input.number"] = f"is {number}; give 0 (specials) to {MAX_NUMBER}"
    if (problem := name_problem(display_name)) is not None:
        problems["input.displayName"] = problem
    return problems


def _part_of(parent: Title, new: NewPart, title_id: TitleId, added_at: datetime) -> dict[str, Any]:
    """Fields of an episode or video: what was said of it, and for the rest what holds for what it belongs to."""
    return {
        "id": title_id,
        "display_name": clean_name(new.display_name),
        "origin": Origin("studio", title_id),
        "added_at": added_at,
        "synopsis": new.synopsis.strip(),
        "release_year": new.release_year or parent.release_year,
        "duration_seconds": new.duration_seconds,
        "genres": parent.genres,
        "credits": parent.credits,
        "minimum_age": parent.minimum_age,
        "is_age_certified": parent.is_age_certified,
        "is_kids": parent.is_kids,
        "certificates": parent.certificates,
        "origin_country": parent.origin_country,
        "original_language": parent.original_language,
    }


def _genres(names: Sequence[str] | None) -> tuple[Genre, ...]:
    return tuple(dict.fromkeys(genre_named(clean_name(name)) for name in names or ()))


def _read(name: str, value: Any) -> Any:
    match name:
        case "displayName":
            return clean_name(value)
        case "synopsis":
            return (value or "").strip()
        case "genres":
            return _genres(value)
        case _:
            return value


_FIELD_BY_NAME = {
    "displayName": "display_name",
    "synopsis": "synopsis",
    "releaseYear": "release_year",
    "durationSeconds": "duration_seconds",
    "genres": "genres",
    "originCountry": "origin_country",
    "originalLanguage": "original_language",
}
