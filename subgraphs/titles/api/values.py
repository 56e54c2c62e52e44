"""GraphQL's value types and enums: what has no id of its own."""

import strawberry
import strawberry.federation

from subgraphs.titles.domain import browsing, title
from subgraphs.titles.domain.artwork_reference import ArtworkRole, ImageFormat
from subgraphs.titles.domain.browsing import TitleSort
from subgraphs.titles.domain.title import CreditRole, GenreId, MediaStatus, TitleKind, VideoKind

__all__ = ["Availability", "Certificate", "Credit", "Person", "TitleFilter"]

strawberry.enum(TitleKind, description="What a title is.")
strawberry.enum(VideoKind, description="What a video shows; TRAILER and TEASER advertise, the others are bonus.")
strawberry.enum(TitleSort, description="The orders of a list; ties are broken by id.")
strawberry.enum(MediaStatus, description="Whether there is something to play.")
strawberry.enum(CreditRole, description="What somebody did in a title.")
strawberry.enum(ArtworkRole, description="What an image is for: 2:3, 16:9, 5:2 on a clear ground, 16:9 and small.")
strawberry.enum(ImageFormat, description="What a client can draw.")


@strawberry.type(description="Somebody on the credits.")
class Person:
    """Known by name alone."""

    id: strawberry.ID
    display_name: str


@strawberry.type(description="One line of the credits, in order of billing.")
class Credit:
    """`character` is null for other roles than the cast, and where the source does not name it."""

    person: Person
    role: CreditRole
    character: str | None

    @classmethod
    def of(cls, credit: title.Credit) -> "Credit":
        """From the domain's."""
        person = Person(id=strawberry.ID(credit.person.id), display_name=credit.person.display_name)
        return cls(person=person, role=credit.role, character=credit.character)


@strawberry.federation.type(
    shareable=True, description="How the age limit is written in a country, and the age that is enforced."
)
class Certificate:
    """`code` is NR where nobody certified the title."""

    code: str
    minimum_age: int


@strawberry.federation.type(
    shareable=True, description="Whether a title is offered now, and the window that this follows from."
)
class Availability:
    """Instants are ISO 8601; null is an open end."""

    is_available: bool
    from_: str | None = strawberry.field(name="from")
    until: str | None


@strawberry.input(description="Narrows a list; what is absent does not narrow. Without a kind, episodes are left out.")
class TitleFilter:
    """As the domain's."""

    kind: TitleKind | None = None
    genre_id: strawberry.ID | None = None
    release_year_from: int | None = None
    release_year_to: int | None = None
    kids_only: bool | None = None

    def to_domain(self) -> browsing.TitleFilter:
        """The domain's filter."""
        return browsing.TitleFilter(
            kind=self.kind,
            genre_id=None if self.genre_id is None else GenreId(self.genre_id),
            release_year_from=self.release_year_from,
            release_year_to=self.release_year_to,
            kids_only=bool(self.kids_only),
        )
