# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""What the studio may do to the catalogue."""

from typing import Annotated

import strawberry

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.results import InvalidInput, NotPermitted, TitleNotFound, invalid_input, title_not_found
from subgraphs.titles.api.context import Info
from subgraphs.titles.api.types import Title, title_of
from subgraphs.titles.services.studio import STUDIO_SCOPE, NewTitle, NotAllowed, problems_of, require_studio

__all__ = ["Mutation"]


@strawberry.input(description="A new film.")
class CreateTitleInput:
    """Only the name is needed; a title for kids needs a certificate as well."""

    display_name: str
    synopsis: str | None = None
    release_year: int | None = None
    genres: list[str] | None = None
    certificate: str | None = None
    is_kids: bool | None = None

    def to_domain(self) -> NewTitle:
        """The service's form."""
        return NewTitle(
            display_name=self.display_name,
            synopsis=self.synopsis or "",
            release_year=self.release_year,
            genres=self.genres or (),
            certificate=self.certificate,
            is_kids=bool(self.is_kids),
        )


@strawberry.type
class CreateTitleSuccess:
    """The film, with nothing to play yet."""

    title: Title


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
class Mutation:
    """Writes from the root."""

    @strawberry.mutation(description="Needs scope studio.")
    async def create_title(self, info: Info, input: CreateTitleInput) -> CreateTitleResult:  # noqa: A002
        """A film that is available everywhere."""
        studio, viewer = info.context.services.studio, info.context.viewer
        try:
            require_studio(viewer)
        except NotAllowed:
            return _not_permitted()
        new = input.to_domain()
        problems = problems_of(new, info.context.now.year)
        if problems:
            return invalid_input(problems)
        return CreateTitleSuccess(title=title_of(await studio.create(viewer, new)))

    @strawberry.mutation(description="Needs scope studio. The title disappears from every door; nothing is deleted.")
    async def withdraw_title(self, info: Info, id: strawberry.ID) -> WithdrawTitleResult:  # noqa: A002
        """With a series, all its episodes."""
        try:
            was_there = await info.context.services.studio.withdraw(info.context.viewer, TitleId(id))
        except NotAllowed:
            return _not_permitted()
        return WithdrawTitleSuccess(id=id) if was_there else title_not_found(id)


def _not_permitted() -> NotPermitted:
    return NotPermitted(message=f"Only an account with scope {STUDIO_SCOPE!r} may change the catalogue.")
