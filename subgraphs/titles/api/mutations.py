# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""What the studio may do to titles: create, change, withdraw, restore. All need scope studio or catalogue:write."""

from typing import Annotated, Any

import strawberry

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.results import InvalidInput, NotPermitted, TitleNotFound, title_not_found
from subgraphs.titles.api.context import Info
from subgraphs.titles.api.offering_mutations import OfferingMutations
from subgraphs.titles.api.studio_types import (
    CatalogueEntry,
    EditTitleResult,
    SeasonResult,
    attempt,
    edit_result,
    season_result,
)
from subgraphs.titles.api.types import Title, title_of
from subgraphs.titles.domain.title import SeasonId, TitleKind, VideoKind
from subgraphs.titles.domain.title import Title as TitleRecord
from subgraphs.titles.domain.title_input import NewTitle
from subgraphs.titles.services.studio import NewPart, TitleToChange

__all__ = ["Mutation"]


@strawberry.input(description="A new film or series.")
class CreateTitleInput:
    """Only the name is needed; a title for kids needs a certificate as well."""

    display_name: str
    kind: TitleKind = TitleKind.MOVIE
    synopsis: str | None = None
    release_year: int | None = None
    duration_seconds: int | None = None
    genres: list[str] | None = None
    certificate: str | None = None
    is_kids: bool | None = None
    origin_country: str | None = None
    original_language: str | None = None

    def to_domain(self) -> NewTitle:
        """The service's form."""
        return NewTitle(
            display_name=self.display_name,
            kind=self.kind,
            synopsis=self.synopsis or "",
            release_year=self.release_year,
            duration_seconds=self.duration_seconds,
            genres=self.genres or (),
            certificate=self.certificate,
            is_kids=bool(self.is_kids),
            origin_country=self.origin_country,
            original_language=self.original_language,
        )


@strawberry.input(
    description="What is absent stays as it is; null clears what may be empty. revision is the one that was seen."
)
class UpdateTitleInput:
    """Names can't be cleared."""

    id: strawberry.ID
    revision: int
    display_name: str | None = strawberry.UNSET
    synopsis: str | None = strawberry.UNSET
    release_year: int | None = strawberry.UNSET
    duration_seconds: int | None = strawberry.UNSET
    genres: list[str] | None = strawberry.UNSET
    origin_country: str | None = strawberry.UNSET
    original_language: str | None = strawberry.UNSET

    def patch(self) -> dict[str, Any]:
        """What was given, by GraphQL name."""
        given = {
            "displayName": self.display_name,
            "synopsis": self.synopsis,
            "releaseYear": self.release_year,
            "durationSeconds": self.duration_seconds,
            "genres": self.genres,
            "originCountry": self.origin_country,
            "originalLanguage": self.original_language,
        }
        return {name: value for name, value in given.items() if value is not strawberry.UNSET}


@strawberry.input
class CreateSeasonInput:
    """Number 0 is for specials."""

    series_id: strawberry.ID
    number: int
    display_name: str


@strawberry.input
class UpdateSeasonInput:
    """Both as they are to be."""

    id: strawberry.ID
    number: int
    display_name: str


@strawberry.input(description="A new episode; what is not said is as in its series.")
class CreateEpisodeInput:
    """Its number counts within the season."""

    season_id: strawberry.ID
    number: int
    display_name: str
    synopsis: str | None = None
    release_year: int | None = None
    duration_seconds: int | None = None


@strawberry.input(description="A new trailer or bonus of a film, a series or a season.")
class CreateVideoInput:
    """`of` is the id of what it belongs to."""

    of: strawberry.ID
    kind: VideoKind
    display_name: str
    synopsis: str | None = None
    duration_seconds: int | None = None


@strawberry.type
class CreateTitleSuccess:
    """The title, with nothing to play yet."""

    title: Title
    entry: CatalogueEntry


@strawberry.type
class WithdrawTitleSuccess:
    """It is gone from every door."""

    id: strawberry.ID


CreateTitleResult = Annotated[
    CreateTitleSuccess | NotPermitted | InvalidInput, strawberry.union(name="CreateTitleResult")
]
WithdrawTitleResult = Annotated[
    WithdrawTitleSuccess | NotPermitted | TitleNotFound, strawberry.union(name="WithdrawTitleResult")
]


@strawberry.type
class Mutation(OfferingMutations):
    """Writes from the root."""

    @strawberry.mutation(description="Needs scope studio. A film or series that is available everywhere.")
    async def create_title(self, info: Info, input: CreateTitleInput) -> CreateTitleResult:  # noqa: A002
        """With nothing to play yet."""
        outcome = await attempt(info.context.services.studio.create(info.context.viewer, input.to_domain()))
        if not isinstance(outcome, TitleRecord):
            return outcome
        return CreateTitleSuccess(title=title_of(outcome), entry=CatalogueEntry.of(outcome))

    @strawberry.mutation(description="Needs scope studio.")
    async def update_title(self, info: Info, input: UpdateTitleInput) -> EditTitleResult:  # noqa: A002
        """Of any kind."""
        target = TitleToChange(TitleId(input.id), input.revision)
        return edit_result(
            await attempt(info.context.services.studio.update(info.context.viewer, target, input.patch()))
        )

    @strawberry.mutation(description="Needs scope studio. The title disappears from every door; nothing is deleted.")
    async def withdraw_title(self, info: Info, id: strawberry.ID) -> WithdrawTitleResult:  # noqa: A002
        """With a series, all its episodes; with either, its videos."""
        was_there = await attempt(info.context.services.studio.withdraw(info.context.viewer, TitleId(id)))
        if isinstance(was_there, NotPermitted | InvalidInput):
            return NotPermitted(message=was_there.message)
        return WithdrawTitleSuccess(id=id) if was_there else title_not_found(id)

    @strawberry.mutation(description="Needs scope studio. Brings back a withdrawn title, with all that went with it.")
    async def restore_title(self, info: Info, id: strawberry.ID) -> EditTitleResult:  # noqa: A002
        """What was withdrawn by itself stays so."""
        return edit_result(await attempt(info.context.services.studio.restore(info.context.viewer, TitleId(id))))

    @strawberry.mutation(description="Needs scope studio.")
    async def create_season(self, info: Info, input: CreateSeasonInput) -> SeasonResult:  # noqa: A002
        """Without episodes."""
        act = info.context.services.studio.create_season(
            info.context.viewer, TitleId(input.series_id), input.number, input.display_name
        )
        return season_result(await attempt(act))

    @strawberry.mutation(description="Needs scope studio.")
    async def update_season(self, info: Info, input: UpdateSeasonInput) -> SeasonResult:  # noqa: A002
        """Its episodes go with its number."""
        act = info.context.services.studio.update_season(
            info.context.viewer, SeasonId(input.id), input.number, input.display_name
        )
        return season_result(await attempt(act))

    @strawberry.mutation(description="Needs scope studio.")
    async def create_episode(self, info: Info, input: CreateEpisodeInput) -> EditTitleResult:  # noqa: A002
        """With nothing to play yet."""
        new = NewPart(input.display_name, input.synopsis or "", input.release_year, input.duration_seconds)
        act = info.context.services.studio.create_episode(
            info.context.viewer, SeasonId(input.season_id), input.number, new
        )
        return edit_result(await attempt(act))

    @strawberry.mutation(description="Needs scope studio.")
    async def create_video(self, info: Info, input: CreateVideoInput) -> EditTitleResult:  # noqa: A002
        """With nothing to play yet."""
        new = NewPart(input.display_name, input.synopsis or "", None, input.duration_seconds)
        act = info.context.services.studio.create_video(info.context.viewer, TitleId(input.of), input.kind, new)
        return edit_result(await attempt(act))
