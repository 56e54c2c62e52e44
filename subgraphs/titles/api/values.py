"""GraphQL's value types and enums: what has no id of its own."""

import re
from datetime import datetime, timedelta
from typing import NoReturn

import strawberry
import strawberry.federation

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.policy import MAX_MATURITY
from subgraphs.titles.domain import browsing
from subgraphs.titles.domain.browsing import DurationBand
from subgraphs.titles.domain.text import sort_name
from subgraphs.titles.domain.title import CreditRole, GenreId, PersonId, TitleKind

__all__ = ["Availability", "Certificate", "TitleFilter"]

MAX_PREFIX_LENGTH = 100
MAX_DAYS = 3_650
_LETTER = re.compile("[A-Za-z]")


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


@strawberry.input(
    description="Narrows a list; what is absent does not narrow. Without a kind, episodes and videos are left out."
)
class TitleFilter:
    """As the domain's; search does not know people, letters and days, lists know no durations, and both say so."""

    kind: TitleKind | None = None
    genre_id: strawberry.ID | None = None
    release_year_from: int | None = None
    release_year_to: int | None = None
    kids_only: bool | None = None
    maximum_age: int | None = strawberry.field(default=None, description="Certificates up to this age, 0 to 18.")
    original_language: str | None = strawberry.field(default=None, description="ISO 639, as en.")
    origin_country: str | None = strawberry.field(default=None, description="ISO 3166, as US.")
    person_id: strawberry.ID | None = None
    person_role: CreditRole | None = strawberry.field(default=None, description="Of personId.")
    initial: str | None = strawberry.field(default=None, description="A to Z, or # for all other names.")
    name_prefix: str | None = strawberry.field(
        default=None, description="How the name begins; case, accents and a leading article make no difference."
    )
    added_within_days: int | None = strawberry.field(default=None, description="1 to 3650.")
    decade: int | None = strawberry.field(default=None, description="1920 for 1920 to 1929.")
    duration: DurationBand | None = strawberry.field(default=None, description="Of search only.")

    def to_domain(self, now: datetime) -> browsing.TitleFilter:
        """The domain's filter; raises ServiceError that names what can't be used."""
        self._check()
        first_year, last_year = self.release_year_from, self.release_year_to
        if self.decade is not None:
            first_year = max(self.decade, first_year or self.decade)
            last_year = min(self.decade + 9, last_year or self.decade + 9)
        days = self.added_within_days
        return browsing.TitleFilter(
            kind=self.kind,
            genre_id=None if self.genre_id is None else GenreId(self.genre_id),
            release_year_from=first_year,
            release_year_to=last_year,
            kids_only=bool(self.kids_only),
            maximum_age=self.maximum_age,
            original_language=self.original_language,
            origin_country=self.origin_country,
            person_id=None if self.person_id is None else PersonId(self.person_id),
            person_role=self.person_role,
            initial=None if self.initial is None else self.initial.upper(),
            name_prefix=None if self.name_prefix is None else sort_name(self.name_prefix),
            duration=self.duration,
            added_since=None if days is None else now - timedelta(days=days),
        )

    def _check(self) -> None:
        if self.maximum_age is not None and not 0 <= self.maximum_age <= MAX_MATURITY:
            _refuse(f"filter.maximumAge is {self.maximum_age}; send an age of 0 to {MAX_MATURITY}")
        if self.initial is not None and not (self.initial == "#" or _LETTER.fullmatch(self.initial)):
            _refuse(f"filter.initial is {self.initial[:20]!r}; send one letter of A to Z, or #")
        if self.name_prefix is not None and not 1 <= len(self.name_prefix.strip()) <= MAX_PREFIX_LENGTH:
            _refuse(f"filter.namePrefix has {len(self.name_prefix)} characters; send 1 to {MAX_PREFIX_LENGTH}")
        if self.added_within_days is not None and not 1 <= self.added_within_days <= MAX_DAYS:
            _refuse(f"filter.addedWithinDays is {self.added_within_days}; send 1 to {MAX_DAYS}")
        if self.decade is not None and (self.decade % 10 or not 1800 <= self.decade <= 2200):
            _refuse(f"filter.decade is {self.decade}; send its first year, as 1920")
        if self.person_role is not None and self.person_id is None:
            _refuse("filter.personRole is set without filter.personId; send both")


def _refuse(message: str) -> NoReturn:
    raise ServiceError(ErrorKind.INVALID_ARGUMENT, message)
