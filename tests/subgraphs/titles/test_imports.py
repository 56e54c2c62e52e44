"""Imports: readers of dirty rows, runs that can be repeated, and the route that takes a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from subgraphs.titles.domain.title import Media, MediaStatus, Title, TitleKind
from subgraphs.titles.imports import ImportRefused
from subgraphs.titles.imports.netflix import COLUMNS, read_netflix
from subgraphs.titles.imports.rows import ImportedRow, RejectedRow, Row
from subgraphs.titles.imports.seen import Seen
from subgraphs.titles.imports.wikipedia import read_wikipedia
from tests.subgraphs.titles.conftest import Parts
from tests.subgraphs.titles.importing import run_import, write

CATALOGUES = Path(__file__).resolve().parents[4] / "shared" / "data" / "catalog"
WIKIPEDIA_FILE = CATALOGUES / "wikipedia_movies_1900_2023.jsonl.gz"
NETFLIX_FILE = CATALOGUES / "netflix_titles.csv.gz"


def film(**values: Any) -> str:
    record = {"title": "The Clock", "year": 1945, "cast": ["Judy Garland"], "genres": ["Romance"], "href": "The_Clock"}
    return json.dumps({**record, **values}) + "\n"


def show(**values: str) -> str:
    record = dict.fromkeys(COLUMNS, "") | {
        "show_id": "s1",
        "type": "Movie",
        "title": "Blood & Water",
        "release_year": "2021",
        "rating": "TV-MA",
        "duration": "90 min",
        "listed_in": "Dramas, TV Mysteries, Movies",
    }
    return ",".join('"' + value.replace('"', '""') + '"' for value in (record | values).values()) + "\r\n"


def wikipedia(lines: list[str]) -> list[Row]:
    with Seen() as seen:
        return list(read_wikipedia(lines, seen))


def netflix(lines: list[str]) -> list[Row]:
    with Seen() as seen:
        return list(read_netflix(lines, seen))


HEADER = ",".join(COLUMNS) + "\r\n"


def imported(row: Row) -> Title:
    assert isinstance(row, ImportedRow), row
    return row.title


def reason(row: Row) -> str:
    assert isinstance(row, RejectedRow), row
    return row.reason


def test_reads_a_film_of_wikipedia() -> None:
    """Its facts as they are; without a certificate it is for grown-ups, never for children."""
    title = imported(*wikipedia([film(genres=["Romance", "Noir"], extract="A  tale.\n", thumbnail="http://x/y.jpg")]))
    assert (
        title.kind, title.display_name, title.release_year, title.synopsis,
    ) == (TitleKind.MOVIE, "The Clock", 1945, "A tale.")  # fmt: skip
    assert [genre.display_name for genre in title.genres] == ["Romance", "Film Noir"]
    assert (title.minimum_age, title.is_age_certified, title.is_kids) == (18, False, False)
    assert title == imported(*wikipedia([film(genres=["Romance", "Noir"], extract="A tale.", thumbnail="z")]))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{not json\n", "no JSON"),
        ("[1, 2]\n", "a JSON list, wanted an object"),
        (film(title="  "), "no title"),
        (film(title=None), "no title"),
        (film(year="1945"), "year is '1945'"),
        (film(year=None), "year is None"),
        (film(year=19450), "year is 19450"),
        (film(year=True), "year is True"),
        (film(cast="Judy Garland"), "cast is 'Judy Garland'"),
        (film(genres=[1]), "genres is '[1]'"),
        (film(extract=7), "extract is a int"),
    ],
)
def test_rejects_a_bad_line_of_wikipedia(line: str, words: str) -> None:
    """With its number and what is wrong; the next line is read."""
    bad, good = wikipedia([line, film()])
    assert (bad.line, words in reason(bad)) == (1, True)
    assert imported(good).display_name == "The Clock"


def test_rejects_the_second_of_two_equal_films() -> None:
    """Naming the first; another film of the same name and year, with its own article, is another film."""
    rows = list(wikipedia([film(), "\n", film(), film(href="The_Clock_(other)")]))
    assert [row.line for row in rows] == [1, 3, 4]
    assert reason(rows[1]) == "duplicate of line 1: 'The Clock' (1945)"
    assert imported(rows[0]).id != imported(rows[2]).id


def test_reads_a_film_of_netflix() -> None:
    """Certificate, minutes and genres become ours."""
    title = imported(*netflix([HEADER, show(director="Ann Lee, Bo Li", cast="Cy Day", date_added=" May 1, 2020")]))
    assert (
        title.minimum_age, title.is_age_certified, title.certificates, title.duration_seconds,
    ) == (17, True, (("US", "TV-MA"),), 5400)  # fmt: skip
    assert [genre.display_name for genre in title.genres] == ["Drama", "Mystery"]
    assert [credit.person.display_name for credit in title.credits] == ["Ann Lee", "Bo Li", "Cy Day"]
    assert title.added_at.isoformat() == "2020-05-01T00:00:00+00:00"


def test_reads_a_show_of_netflix_with_its_seasons() -> None:
    """As many seasons as it says, without episodes; a kids show with a kids certificate is for children."""
    values = {"type": "TV Show", "duration": "3 Seasons", "rating": "TV-Y7", "listed_in": "Kids' TV"}
    (row,) = netflix([HEADER, show(**values)])
    assert isinstance(row, ImportedRow)
    assert (row.title.kind, row.title.is_kids, [s.number for s in row.seasons]) == (TitleKind.SERIES, True, [1, 2, 3])
    assert not imported(*netflix([HEADER, show(**values | {"rating": "TV-14"})])).is_kids


def test_puts_a_duration_in_the_rating_column_right() -> None:
    """The row is taken, with a remark, and its rating is unknown."""
    (row,) = netflix([HEADER, show(rating="74 min", duration="")])
    assert isinstance(row, ImportedRow)
    assert (row.title.duration_seconds, row.title.is_age_certified, row.title.minimum_age) == (74 * 60, False, 18)
    assert "'74 min' stands in the rating column" in (row.remark or "")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"title": " "}, "title is empty"),
        ({"show_id": ""}, "show_id is empty"),
        ({"type": "Game"}, "type is 'Game', wanted Movie or TV Show"),
        ({"release_year": "soon"}, "release_year is 'soon'"),
        ({"release_year": "1066"}, "release_year is '1066'"),
        ({"rating": "XXL"}, "rating is 'XXL'"),
        ({"duration": "ninety"}, "duration is 'ninety', wanted '90 min'"),
        ({"type": "TV Show", "duration": "90 min"}, "duration is '90 min', wanted '2 Seasons'"),
        ({"type": "TV Show", "duration": "999 Seasons"}, "at most 100"),
        ({"date_added": "2021-09-25"}, "date_added is '2021-09-25'"),
    ],
)
def test_rejects_a_bad_row_of_netflix(values: dict[str, str], words: str) -> None:
    """With the line that it began at and what is wrong; the next row is read."""
    text = [HEADER, show(show_id="s0", title="Two\r\nlines"), show(**values), show(show_id="s2", title="Next")]
    lines = "".join(text).splitlines(keepends=True)
    first, bad, good = netflix(lines)
    assert (first.line, bad.line, words in reason(bad)) == (2, 4, True)
    assert imported(good).display_name == "Next"


def test_rejects_rows_of_another_shape_and_files_of_another_kind() -> None:
    """Too few columns, a doubled id, a doubled work, a header of something else."""
    rows = list(netflix([HEADER, show(), "a,b\r\n", show(title="Other"), show(show_id="s9", title="BLOOD & water")]))
    assert reason(rows[1]) == "has 2 columns, wanted 12"
    assert reason(rows[2]) == "duplicate of line 2: 'Other' (2021)"
    assert reason(rows[3]) == "duplicate of line 2: 'BLOOD & water' (2021)"
    with pytest.raises(ImportRefused, match="the header in line 1 lacks show_id"):
        netflix(["name,age\r\n", "x,1\r\n"])


async def test_an_import_can_be_repeated(parts: Parts, tmp_path: Path) -> None:
    """The second time nothing changes, nothing is announced; a changed row changes its title and nothing else of ours."""
    text = film() + film(title="Up", year=2009) + "oops\n"
    path = write(tmp_path / "films.jsonl.gz", text, compressed=True)
    first = await run_import(parts, "wikipedia", path)
    assert (first.counts, first.progress.rejected) == ((2, 0, 0), 1)
    assert (first.rejected[0][0], first.rejected[0][1][:7]) == (3, "no JSON")
    assert (first.steps[-1].read, first.steps[-1].bytes_read) == (3, path.stat().st_size)
    await parts.follower.catch_up()
    second = await run_import(parts, "wikipedia", path)
    assert (second.counts, second.progress.rejected) == ((0, 0, 2), 1)
    assert await parts.store.changes_for("search", 10) == []

    title = imported(*wikipedia([film()]))
    stored = (await parts.store.titles([title.id]))[title.id]
    await parts.put(replace(stored, media=Media(MediaStatus.PROCESSING), is_withdrawn=True))
    third = await run_import(parts, "wikipedia", write(tmp_path / "changed.jsonl", film(extract="New.")))
    assert third.counts == (0, 1, 0)
    after = (await parts.store.titles([title.id]))[title.id]
    assert (after.synopsis, after.media.status, after.is_withdrawn) == ("New.", MediaStatus.PROCESSING, True)


async def test_a_work_that_another_source_brought_is_not_doubled(demo: Parts, tmp_path: Path) -> None:
    """Nosferatu of 1922 is in the demo catalogue; a Nosferatu of another year is another film."""
    text = film(title="Nosferatu", year=1922) + film(title="Nosferatu", year=2024)
    for expected in ((1, 1), (0, 1)):
        taken = (await run_import(demo, "wikipedia", write(tmp_path / "films.jsonl", text))).progress.taken
        assert expected == (taken.created, taken.matched)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("format_name", "path", "rows", "at_least"),
    [("wikipedia", WIKIPEDIA_FILE, 36_273, 36_000), ("netflix", NETFLIX_FILE, 8_807, 8_700)],
)
async def test_imports_the_whole_list_once(
    demo: Parts, tmp_path: Path, format_name: str, path: Path, rows: int, at_least: int
) -> None:
    """Every row is created, matched or rejected with a reason, and the second run changes nothing."""
    if not path.exists():  # noqa: ASYNC240  # once, before anything runs
        pytest.skip(f"{path} is not there")
    copy = tmp_path / path.name
    copy.symlink_to(path)
    first = await run_import(demo, format_name, copy)
    taken = first.progress.taken
    assert rows == taken.created + taken.matched + first.progress.rejected
    assert taken.created >= at_least
    assert all("duplicate" in reason for _, reason in first.rejected)
    second = await run_import(demo, format_name, copy)
    assert (0, 0, taken.created) == second.counts
    if format_name == "netflix":
        assert len(first.repaired) == 3
