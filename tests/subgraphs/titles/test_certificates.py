"""The tables of certificates, against a public collection where it is there, and the rules over them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from subgraphs.titles.domain.certificate_tables import AGE_BY_CODE, SHOWN_BY_COUNTRY
from subgraphs.titles.domain.certificates import certificate_for, problem_of_certificate, strictest_age

REFERENCE = Path(__file__).resolve().parents[4] / "shared/data/reference/jellyfin_parental_ratings_by_country.tar.xz"

DIFFERENCES = {
    ("US", "PG"): "advice without an age: children of school age see such films with their parents everywhere",
    ("US", "NC-17"): "no one of 17 and under: 18",
    ("AU", "PG"): "advice without an age; the collection puts it level with M, which is for 15",
    ("ES", "7"): "the collection has a slip: its name says the age",
    ("IE", "G"): "for all; the collection says 4, which is school age",
    ("KR", "19"): "ages end at 18 here: grown-ups",
    ("SG", "R21"): "ages end at 18 here: grown-ups",
    ("MX", "D"): "ages end at 18 here: grown-ups",
}


def _reference() -> dict[tuple[str, str], int]:
    if not REFERENCE.is_file():
        pytest.skip(f"no reference tables: {REFERENCE} is not there")
    ages = {}
    with tarfile.open(REFERENCE) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file is None or not member.name.endswith(".json"):
                continue
            country = json.load(file)
            for rating in country["ratings"]:
                for code in rating["ratingStrings"]:
                    ages[country["countryCode"].upper(), code] = rating["ratingScore"]["score"]
    return ages


def test_ages_are_those_of_the_reference_but_for_named_differences() -> None:
    """Each code that both know has one age, or a reason; no reason is left over."""
    reference = _reference()
    ours = {(country, code): age for country, codes in AGE_BY_CODE.items() for code, age in codes.items()}
    shared = ours.keys() & reference.keys()
    assert len(shared) > 130
    assert DIFFERENCES.keys() == {key for key in shared if ours[key] != reference[key]}


@pytest.mark.parametrize("country", sorted(SHOWN_BY_COUNTRY))
def test_each_country_shows_codes_that_it_knows_mildest_first(country: str) -> None:
    """Every shown code can be given, too; thresholds rise to 18."""
    rows = SHOWN_BY_COUNTRY[country]
    assert [highest for highest, _ in rows] == sorted({highest for highest, _ in rows})
    assert rows[-1][0] == 18
    assert {code for _, code in rows} <= AGE_BY_CODE[country].keys()
    ages = [AGE_BY_CODE[country][code] for _, code in rows]
    assert ages == sorted(ages)


def test_every_table_has_both_halves() -> None:
    """A country whose codes are taken can show an age, and the other way round."""
    assert AGE_BY_CODE.keys() == SHOWN_BY_COUNTRY.keys()


def test_a_given_certificate_is_shown_in_its_country_alone() -> None:
    """Elsewhere the code follows from the age; where nobody certified, NR."""
    given = {"DE": "FSK 16"}
    assert [
        certificate_for(country, 16, given, is_age_certified=True).code for country in ("DE", "GB", "KR", "XX", None)
    ] == ["FSK 16", "15", "15", "16+", "16+"]
    assert certificate_for("DE", 18, {}, is_age_certified=False).code == "NR"


@pytest.mark.parametrize(
    ("country", "code", "word"),
    [
        ("US", "FSK 16", "known in US are G, PG"),
        ("XX", "18", "known countries are AR, AU"),
        ("*", "18+", "known countr"),
    ],
)
def test_an_unknown_certificate_is_refused_by_name(country: str, code: str, word: str) -> None:
    """With what would be taken."""
    problem = problem_of_certificate(country, code)
    assert problem is not None
    assert word in problem


def test_the_strictest_certificate_decides() -> None:
    """A film for 12 in one country and 16 in another is for 16."""
    assert strictest_age([("GB", "12A"), ("DE", "FSK 16")]) == 16
    assert problem_of_certificate("DE", "FSK 16") is None
