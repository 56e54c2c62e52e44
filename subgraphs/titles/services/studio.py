"""What the studio does by hand: create a title, withdraw one. Needs scope `studio`; every act leaves an audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.clock import Clock
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId, new_id
from subgraphs.titles.domain.certificates import known_codes
from subgraphs.titles.domain.title import Origin, Title, TitleKind, genre_named
from subgraphs.titles.services.editing import CatalogueEditor, Unknown

__all__ = ["STUDIO_SCOPE", "NewTitle", "NotAllowed", "StudioService", "problems_of"]

STUDIO_SCOPE = "studio"
MAX_NAME_LENGTH = 500
MAX_SYNOPSIS_LENGTH = 5_000
MAX_GENRES = 10
MAX_GENRE_LENGTH = 50
MAX_KIDS_AGE = 7
FIRST_FILM_YEAR = 1888


class NotAllowed(Exception):
    """The viewer has no studio scope."""


@dataclass(frozen=True, slots=True)
class NewTitle:
    """What a studio says of a new film."""

    display_name: str
    synopsis: str = ""
    release_year: int | None = None
    genres: Sequence[str] = ()
    certificate: str | None = None
    is_kids: bool = False


class StudioService:
    """Creates and withdraws."""

    def __init__(self, editor: CatalogueEditor, clock: Clock) -> None:
        self._editor = editor
        self._clock = clock

    async def create(self, viewer: Viewer, new: NewTitle) -> Title:
        """A film, available everywhere, with nothing to play yet. `new` must have no problems; raises NotAllowed."""
        account_id = require_studio(viewer)
        now = self._clock.now()
        title_id = TitleId(new_id("mov", now))
        genres = dict.fromkeys(genre_named(" ".join(name.split())) for name in new.genres)
        title = Title(
            id=title_id,
            kind=TitleKind.MOVIE,
            display_name=" ".join(new.display_name.split()),
            origin=Origin("studio", title_id),
            added_at=now,
            synopsis=new.synopsis.strip(),
            release_year=new.release_year,
            genres=tuple(genres),
            # Nobody said for whom it is: grown-ups, until a certificate says more. A kids title must have one.
            minimum_age=18 if new.certificate is None else known_codes()[new.certificate],
            is_age_certified=new.certificate is not None,
            is_kids=new.is_kids,
        )
        return await self._editor.create(title, account_id)

    async def withdraw(self, viewer: Viewer, title_id: TitleId) -> bool:
        """False when there is no such title, or it was withdrawn before; raises NotAllowed."""
        account_id = require_studio(viewer)
        was_there = False

        def withdraw(title: Title) -> Title:
            nonlocal was_there
            was_there = not title.is_withdrawn
            return replace(title, is_withdrawn=True)

        outcome = await self._editor.edit(title_id, None, account_id, "withdraw", withdraw)
        return was_there and not isinstance(outcome, Unknown)


def require_studio(viewer: Viewer) -> str:
    """The account that acts; raises NotAllowed."""
    if viewer.account_id is None or STUDIO_SCOPE not in viewer.scopes:
        raise NotAllowed
    return viewer.account_id


def problems_of(new: NewTitle, this_year: int) -> dict[str, str]:
    """What is wrong with a new title, by field path; empty when nothing is."""
    problems: dict[str, str] = {}
    name_length = len(new.display_name.strip())
    if not 1 <= name_length <= MAX_NAME_LENGTH:
        problems["input.displayName"] = f"has {name_length} characters; give 1 to {MAX_NAME_LENGTH}"
    if len(new.synopsis) > MAX_SYNOPSIS_LENGTH:
        problems["input.synopsis"] = f"has {len(new.synopsis)} characters; give at most {MAX_SYNOPSIS_LENGTH}"
    if new.release_year is not None and not FIRST_FILM_YEAR <= new.release_year <= this_year + 5:
        problems["input.releaseYear"] = f"is {new.release_year}; give {FIRST_FILM_YEAR} to {this_year + 5}"
    if len(new.genres) > MAX_GENRES:
        problems["input.genres"] = f"has {len(new.genres)} entries; give at most {MAX_GENRES}"
    elif any(not 1 <= len(name.strip()) <= MAX_GENRE_LENGTH for name in new.genres):
        problems["input.genres"] = f"has a name that is empty or longer than {MAX_GENRE_LENGTH} characters"
    ages = known_codes()
    if new.certificate is not None and new.certificate not in ages:
        problems["input.certificate"] = f"is {new.certificate!r}; known are {', '.join(sorted(ages))}"
    elif new.is_kids and new.certificate is None:
        problems["input.certificate"] = "is missing; a title for kids needs one"
    elif new.is_kids and new.certificate is not None and ages[new.certificate] > MAX_KIDS_AGE:
        problems["input.isKids"] = f"is true, but certificate {new.certificate} is for ages above {MAX_KIDS_AGE}"
    return problems
