"""What may be asked of a search besides its text, and how its answers are counted: orders, and facets.

A facet counts for each value how many titles would be found if that value were chosen, with all else as it is. So a
facet of what is chosen already (a genre, say) is counted without that choice: its other values are the way elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from subgraphs.titles.domain.browsing import DurationBand, TitleFilter
from subgraphs.titles.domain.title import GenreId, TitleKind

__all__ = ["FACET_FIELDS", "FacetField", "FieldCounts", "SearchFacets", "SearchSort", "facet_questions", "name_rank"]


class SearchSort(StrEnum):
    """The orders of an answer; ties are broken by id."""

    RELEVANCE = "RELEVANCE"
    RELEASE_YEAR = "RELEASE_YEAR"
    NAME = "NAME"
    POPULARITY = "POPULARITY"


class FacetField(StrEnum):
    """What a search engine counts: its field's name."""

    KIND = "kind"
    GENRE = "genre_ids"
    YEAR = "release_year"
    AGE = "minimum_age"
    LANGUAGE = "original_language"
    COUNTRY = "origin_country"
    DURATION = "duration_band"


FACET_FIELDS = tuple(FacetField)
MAX_VALUES = 300
"""Of one field that an engine counts: there are fewer genres, years, languages and countries."""

FieldCounts = Mapping[FacetField, Mapping[str | int, int]]
"""Titles by value of each field that was asked for."""


@dataclass(frozen=True, slots=True)
class SearchFacets:
    """(value, count) pairs; genres, languages and countries by count, the others in their own order.

    `ages` are cumulative: how many titles are found with that age as the limit. Unknown years, languages, countries and
    durations are left out, because nothing can be narrowed to them.
    """

    kinds: tuple[tuple[TitleKind, int], ...]
    genres: tuple[tuple[GenreId, int], ...]
    decades: tuple[tuple[int, int], ...]
    ages: tuple[tuple[int, int], ...]
    languages: tuple[tuple[str, int], ...]
    countries: tuple[tuple[str, int], ...]
    durations: tuple[tuple[DurationBand, int], ...]

    @classmethod
    def of(cls, counts: FieldCounts) -> SearchFacets:
        """From what an engine counted; a field that is missing found nothing."""

        def of(field: FacetField) -> Counter[str | int]:
            known = {value: count for value, count in counts.get(field, {}).items() if value not in {"", 0} and count}
            return Counter(known)

        decades: Counter[int] = Counter()
        for year, count in of(FacetField.YEAR).items():
            decades[int(year) // 10 * 10] += count
        kinds, durations = of(FacetField.KIND), of(FacetField.DURATION)
        return cls(
            kinds=tuple((kind, kinds[kind.value]) for kind in TitleKind if kinds[kind.value]),
            genres=tuple((GenreId(value), count) for value, count in _by_count(of(FacetField.GENRE))),
            decades=tuple(sorted(decades.items(), reverse=True)),
            ages=_cumulative(counts.get(FacetField.AGE, {})),
            languages=_by_count(of(FacetField.LANGUAGE)),
            countries=_by_count(of(FacetField.COUNTRY)),
            durations=tuple((band, durations[band.value]) for band in DurationBand if durations[band.value]),
        )


def facet_questions(chosen: TitleFilter) -> list[tuple[TitleFilter, tuple[FacetField, ...], bool]]:
    """What to count: (filter, fields to count with it, whether of every kind). Most often two questions."""
    apart: dict[FacetField, TitleFilter] = {}
    if chosen.genre_id is not None:
        apart[FacetField.GENRE] = replace(chosen, genre_id=None)
    if chosen.release_year_from is not None or chosen.release_year_to is not None:
        apart[FacetField.YEAR] = replace(chosen, release_year_from=None, release_year_to=None)
    if chosen.maximum_age is not None:
        apart[FacetField.AGE] = replace(chosen, maximum_age=None)
    if chosen.original_language is not None:
        apart[FacetField.LANGUAGE] = replace(chosen, original_language=None)
    if chosen.origin_country is not None:
        apart[FacetField.COUNTRY] = replace(chosen, origin_country=None)
    if chosen.duration is not None:
        apart[FacetField.DURATION] = replace(chosen, duration=None)
    together = tuple(field for field in FACET_FIELDS if field not in apart and field is not FacetField.KIND)
    return [
        (chosen, together, False),
        (chosen, (FacetField.KIND,), True),
        *((without, (field,), False) for field, without in apart.items()),
    ]


def name_rank(sort_name: str) -> int:
    """A number below 2^64 that orders as the first twelve characters do: for engines that sort by numbers alone."""
    rank = 0
    is_known = True
    for place in range(12):
        letter = sort_name[place] if is_known and place < len(sort_name) else ""
        code = 0 if not letter else _ALPHABET.find(letter) + 1
        if letter and not code:
            # Behind all letters; what follows does not order, because what stands here does not.
            is_known, code = False, len(_ALPHABET) + 1
        rank = rank * (len(_ALPHABET) + 2) + code
    return rank


_ALPHABET = " 0123456789_abcdefghijklmnopqrstuvwxyz"


def _by_count(counts: Mapping[str | int, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(((str(value), count) for value, count in counts.items()), key=lambda pair: (-pair[1], pair[0])))


def _cumulative(counts: Mapping[str | int, int]) -> tuple[tuple[int, int], ...]:
    ages: list[tuple[int, int]] = []
    total = 0
    for age, count in sorted((int(age), count) for age, count in counts.items() if count):
        total += count
        ages.append((age, total))
    return tuple(ages)
