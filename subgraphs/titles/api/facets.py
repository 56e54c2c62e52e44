"""How many titles a list has: what the letters of an A to Z list and the decades of a timeline show."""

import strawberry

from subgraphs.titles.domain import browsing

__all__ = ["TitleFacets"]


@strawberry.type
class InitialCount:
    """One letter, A to Z, or # for names that begin otherwise."""

    initial: str
    title_count: int


@strawberry.type
class DecadeCount:
    """Ten years from `decade` on; null where nobody knows the year."""

    decade: int | None
    title_count: int


@strawberry.type(description="Counts of a list. Letters and decades without titles are left out.")
class TitleFacets:
    """At most 27 letters, and some two dozen decades."""

    total_count: int
    initials: list[InitialCount]
    decades: list[DecadeCount]

    @classmethod
    def of(cls, facets: browsing.Facets) -> "TitleFacets":
        """From the domain's."""
        return cls(
            total_count=facets.total_count,
            initials=[InitialCount(initial=letter, title_count=count) for letter, count in facets.count_by_initial],
            decades=[DecadeCount(decade=decade, title_count=count) for decade, count in facets.count_by_decade],
        )
