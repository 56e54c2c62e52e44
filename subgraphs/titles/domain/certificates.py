"""Certificates: what an age limit is called in each country.

The catalogue keeps one minimum age per title, which is what the policy enforces everywhere. The code beside it is how
that age is written in the viewer's country: a title's own certificate where its source gave one, else the table's.
The ages of foreign codes follow the boards' published meanings; where a code gives advice instead of an age (PG,
TV-PG) we take the age at which the board no longer advises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["AGE_BY_CODE", "CODES_BY_COUNTRY", "Certificate", "certificate_for", "known_codes"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The code shown and the age that is enforced."""

    code: str
    minimum_age: int


NOT_RATED = "NR"
"""Shown where nobody has certified the title."""

# (highest minimum age that still gets the code, code), mildest first; the last row holds for everything.
CODES_BY_COUNTRY: Mapping[str, tuple[tuple[int, str], ...]] = {
    "*": ((0, "0+"), (7, "7+"), (12, "12+"), (16, "16+"), (18, "18+")),
    "AU": ((0, "G"), (9, "PG"), (14, "M"), (17, "MA 15+"), (18, "R 18+")),
    "BR": ((0, "L"), (10, "10"), (12, "12"), (14, "14"), (16, "16"), (18, "18")),
    "CA": ((0, "G"), (9, "PG"), (14, "14A"), (17, "18A"), (18, "R")),
    "DE": ((0, "FSK 0"), (9, "FSK 6"), (13, "FSK 12"), (16, "FSK 16"), (18, "FSK 18")),
    "ES": ((0, "A"), (7, "7"), (13, "12"), (16, "16"), (18, "18")),
    "FR": ((9, "TP"), (10, "10"), (13, "12"), (16, "16"), (18, "18")),
    "GB": ((0, "U"), (9, "PG"), (13, "12A"), (16, "15"), (18, "18")),
    "IN": ((0, "U"), (7, "UA 7+"), (13, "UA 13+"), (16, "UA 16+"), (18, "A")),
    "IT": ((0, "T"), (7, "6+"), (14, "14+"), (18, "18+")),
    "JP": ((10, "G"), (14, "PG12"), (16, "R15+"), (18, "R18+")),
    "SE": ((0, "Btl"), (7, "7"), (13, "11"), (18, "15")),
    "US": ((0, "G"), (9, "PG"), (14, "PG-13"), (17, "R"), (18, "NC-17")),
}

AGE_BY_CODE: Mapping[str, Mapping[str, int]] = {
    "US": {
        "G": 0,
        "PG": 7,
        "PG-13": 13,
        "R": 17,
        "NC-17": 18,
        "TV-Y": 0,
        "TV-Y7": 7,
        "TV-Y7-FV": 7,
        "TV-G": 0,
        "TV-PG": 10,
        "TV-14": 14,
        "TV-MA": 17,
    },
    "GB": {"U": 0, "PG": 8, "12": 12, "12A": 12, "15": 15, "18": 18},
    "DE": {"FSK 0": 0, "FSK 6": 6, "FSK 12": 12, "FSK 16": 16, "FSK 18": 18},
    "*": {"0+": 0, "6+": 6, "7+": 7, "12+": 12, "16+": 16, "18+": 18},
}


def certificate_for(
    country: str | None, minimum_age: int, given: Mapping[str, str], *, is_age_certified: bool
) -> Certificate:
    """The certificate to show in a country; `given` are the source's codes by country."""
    if not is_age_certified:
        return Certificate(NOT_RATED, minimum_age)
    if country is not None and country in given:
        return Certificate(given[country], minimum_age)
    rows = CODES_BY_COUNTRY.get(country or "*", CODES_BY_COUNTRY["*"])
    code = next((code for highest, code in rows if minimum_age <= highest), rows[-1][1])
    return Certificate(code, minimum_age)


def known_codes() -> dict[str, int]:
    """Every code that `createTitle` takes, with its age; where two countries share a code the stricter age holds."""
    ages: dict[str, int] = {}
    for codes in AGE_BY_CODE.values():
        for code, age in codes.items():
            ages[code] = max(age, ages.get(code, 0))
    return ages
