"""What the studio may say of a title: the limits of each field, and what is wrong with a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from subgraphs.titles.artwork_sizes import VARIANTS
from subgraphs.titles.domain.certificates import known_codes, problem_of_certificate, strictest_age
from subgraphs.titles.domain.title import TitleKind

__all__ = [
    "MAX_KIDS_AGE",
    "MAX_WINDOWS",
    "NewTitle",
    "certificate_problems",
    "clean_name",
    "name_problem",
    "patch_problems",
    "problems_of",
    "weight_problems",
]

MAX_NAME_LENGTH = 500
MAX_SYNOPSIS_LENGTH = 5_000
MAX_GENRES = 10
MAX_GENRE_LENGTH = 50
MAX_KIDS_AGE = 7
MAX_DURATION_S = 7 * 24 * 3600
MAX_WINDOWS = 250
"""About one for each country there is."""
MAX_WEIGHT = 1_000
FIRST_FILM_YEAR = 1888
YEARS_AHEAD = 5

_COUNTRY = re.compile("[A-Z]{2}")
_LANGUAGE = re.compile("[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")


@dataclass(frozen=True, slots=True)
class NewTitle:
    """What a studio says of a new film or series."""

    display_name: str
    kind: TitleKind = TitleKind.MOVIE
    synopsis: str = ""
    release_year: int | None = None
    duration_seconds: int | None = None
    genres: Sequence[str] = ()
    certificate: str | None = None
    is_kids: bool = False
    origin_country: str | None = None
    original_language: str | None = None


def problems_of(new: NewTitle, this_year: int) -> dict[str, str]:
    """What is wrong with a new title, by field path; empty when nothing is."""
    patch = {
        "displayName": new.display_name,
        "synopsis": new.synopsis,
        "releaseYear": new.release_year,
        "durationSeconds": new.duration_seconds,
        "genres": new.genres,
        "originCountry": new.origin_country,
        "originalLanguage": new.original_language,
    }
    problems = patch_problems(patch, this_year)
    ages = known_codes()
    if new.kind not in {TitleKind.MOVIE, TitleKind.SERIES}:
        problems["input.kind"] = f"is {new.kind}; createEpisode and createVideo make the others"
    if new.certificate is not None and new.certificate not in ages:
        problems["input.certificate"] = f"is {new.certificate!r}; known are {', '.join(sorted(ages))}"
    elif new.is_kids and new.certificate is None:
        problems["input.certificate"] = "is missing; a title for kids needs one"
    elif new.is_kids and new.certificate is not None and ages[new.certificate] > MAX_KIDS_AGE:
        problems["input.isKids"] = f"is true, but certificate {new.certificate} is for ages above {MAX_KIDS_AGE}"
    return problems


def patch_problems(patch: Mapping[str, Any], this_year: int) -> dict[str, str]:
    """What is wrong with new values, by field path; `patch` has the GraphQL names of those that are to change."""
    problems: dict[str, str] = {}
    for name, value in patch.items():
        problem = _PROBLEM_BY_FIELD[name](value, this_year)
        if problem is not None:
            problems[f"input.{name}"] = problem
    return problems


def name_problem(name: str | None) -> str | None:
    """What is wrong with a title's, a season's or a person's name."""
    if name is None:
        return "is null; a name can be changed and not removed"
    length = len(name.strip())
    return None if 1 <= length <= MAX_NAME_LENGTH else f"has {length} characters; give 1 to {MAX_NAME_LENGTH}"


def clean_name(name: str) -> str:
    """Single blanks, none at the ends."""
    return " ".join(name.split())


def certificate_problems(given: Sequence[tuple[str, str]], *, is_kids: bool) -> dict[str, str]:
    """What is wrong with certificates by (country, code), by field path."""
    problems: dict[str, str] = {}
    for place, (country, code) in enumerate(given):
        if country in {other for other, _ in given[:place]}:
            problems[f"input.certificates.{place}"] = f"is a second one for {country}; give one for each country"
        elif (problem := problem_of_certificate(country, code)) is not None:
            problems[f"input.certificates.{place}"] = problem
    if not problems and is_kids and not given:
        problems["input.certificates"] = "is empty; a title for kids needs a certificate"
    elif not problems and is_kids and (age := strictest_age(given)) > MAX_KIDS_AGE:
        problems["input.isKids"] = f"is true, but the strictest certificate is for {age}, above {MAX_KIDS_AGE}"
    return problems


def weight_problems(weights: Sequence[tuple[str, int]]) -> dict[str, str]:
    """What is wrong with artwork weights by (variant, weight), by field path."""
    problems: dict[str, str] = {}
    for place, (variant, weight) in enumerate(weights):
        if variant not in VARIANTS:
            problems[f"input.weights.{place}"] = f"is for {variant!r}; there are {', '.join(VARIANTS)}"
        elif variant in {other for other, _ in weights[:place]}:
            problems[f"input.weights.{place}"] = f"is a second one for {variant}; give one for each variant"
        elif not 0 <= weight <= MAX_WEIGHT:
            problems[f"input.weights.{place}"] = f"is {weight}; give 0 to {MAX_WEIGHT}"
    if not problems and weights and not any(weight for _, weight in weights):
        problems["input.weights"] = "are all 0; one variant must be shown, or give no weights for the main one"
    return problems


def _synopsis(value: str | None, _this_year: int) -> str | None:
    if value is not None and len(value) > MAX_SYNOPSIS_LENGTH:
        return f"has {len(value)} characters; give at most {MAX_SYNOPSIS_LENGTH}"
    return None


def _release_year(value: int | None, this_year: int) -> str | None:
    if value is None or FIRST_FILM_YEAR <= value <= this_year + YEARS_AHEAD:
        return None
    return f"is {value}; give {FIRST_FILM_YEAR} to {this_year + YEARS_AHEAD}"


def _duration(value: int | None, _this_year: int) -> str | None:
    return None if value is None or 1 <= value <= MAX_DURATION_S else f"is {value}; give 1 to {MAX_DURATION_S} seconds"


def _genres(value: Sequence[str] | None, _this_year: int) -> str | None:
    names = value or ()
    if len(names) > MAX_GENRES:
        return f"has {len(names)} entries; give at most {MAX_GENRES}"
    if any(not 1 <= len(name.strip()) <= MAX_GENRE_LENGTH for name in names):
        return f"has a name that is empty or longer than {MAX_GENRE_LENGTH} characters"
    return None


def _country(value: str | None, _this_year: int) -> str | None:
    return None if value is None or _COUNTRY.fullmatch(value) else f"is {value[:20]!r}; give two capital letters as US"


def _language(value: str | None, _this_year: int) -> str | None:
    return None if value is None or _LANGUAGE.fullmatch(value) else f"is {value[:20]!r}; give a code as en or pt-BR"


_PROBLEM_BY_FIELD: Mapping[str, Callable[[Any, int], str | None]] = {
    "displayName": lambda value, _this_year: name_problem(value),
    "synopsis": _synopsis,
    "releaseYear": _release_year,
    "durationSeconds": _duration,
    "genres": _genres,
    "originCountry": _country,
    "originalLanguage": _language,
}
