"""Certificates: what an age limit is called in each country.

The catalogue keeps one minimum age per title, which is what the policy enforces everywhere. The code beside it is how
that age is written in the viewer's country: a title's own certificate where one was given, else the table's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from subgraphs.titles.domain.certificate_tables import AGE_BY_CODE, SHOWN_BY_COUNTRY

__all__ = ["Certificate", "certificate_for", "known_codes", "problem_of_certificate", "strictest_age"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The code shown and the age that is enforced."""

    code: str
    minimum_age: int


NOT_RATED = "NR"
"""Shown where nobody has certified the title."""


def certificate_for(
    country: str | None, minimum_age: int, given: Mapping[str, str], *, is_age_certified: bool
) -> Certificate:
    """The certificate to show in a country; `given` are the title's own codes by country."""
    if not is_age_certified:
        return Certificate(NOT_RATED, minimum_age)
    if country is not None and country in given:
        return Certificate(given[country], minimum_age)
    rows = SHOWN_BY_COUNTRY.get(country or "*", SHOWN_BY_COUNTRY["*"])
    code = next((code for highest, code in rows if minimum_age <= highest), rows[-1][1])
    return Certificate(code, minimum_age)


def known_codes() -> dict[str, int]:
    """Every code that `createTitle` takes, with its age; where two countries share a code the stricter age holds."""
    ages: dict[str, int] = {}
    for codes in AGE_BY_CODE.values():
        for code, age in codes.items():
            ages[code] = max(age, ages.get(code, 0))
    return ages


def problem_of_certificate(country: str, code: str) -> str | None:
    """Why a code can't be given in a country, with what can; None when it can."""
    codes = AGE_BY_CODE.get(country)
    if codes is None or country == "*":
        known = ", ".join(name for name in AGE_BY_CODE if name != "*")
        return f"is for {country!r}, whose certificates are not known; known countries are {known}"
    return None if code in codes else f"is {code!r}; known in {country} are {', '.join(codes)}"


def strictest_age(given: Sequence[tuple[str, str]]) -> int:
    """The age that certificates of several countries make: the highest. Each must be known; empty is 0."""
    return max((AGE_BY_CODE[country][code] for country, code in given), default=0)
