"""Imports: readers of dirty rows, runs that can be repeated, and the route that takes a file."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from subgraphs.titles.domain.title import Media, MediaStatus, Title, TitleKind
from subgraphs.titles.imports import ImportProgress, ImportRefused, import_catalogue
from subgraphs.titles.imports.client import send_import
from subgraphs.titles.imports.netflix import COLUMNS, read_netflix
from subgraphs.titles.imports.rows import ImportedRow, RejectedRow, Row
from subgraphs.titles.imports.wikipedia import read_wikipedia
from tests.subgraphs.titles.conftest import ADULT, CHILD, OpenService, Parts, Service

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


HEADER = ",".join(COLUMNS) + "\r\n"


def imported(row: Row) -> Title:
    assert isinstance(row, ImportedRow), row
    return row.title


def reason(row: Row) -> str:
    assert isinstance(row, RejectedRow), row
    return row.reason


def test_reads_a_film_of_wikipedia() -> None:
    """Its facts as they are; without a certificate it is for grown-ups, never for children."""
    title = imported(
        *read_wikipedia([film(genres=["Romance", "Noir"], extract="A  tale.\n", thumbnail="http://x/y.jpg")])
    )
    assert (
        title.kind, title.display_name, title.release_year, title.synopsis,
    ) == (TitleKind.MOVIE, "The Clock", 1945, "A tale.")  # fmt: skip
    assert [genre.display_name for genre in title.genres] == ["Romance", "Film Noir"]
    assert (title.minimum_age, title.is_age_certified, title.is_kids) == (18, False, False)
    assert title == imported(*read_wikipedia([film(genres=["Romance", "Noir"], extract="A tale.", thumbnail="z")]))


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
    bad, good = read_wikipedia([line, film()])
    assert (bad.line, words in reason(bad)) == (1, True)
    assert imported(good).display_name == "The Clock"


def test_rejects_the_second_of_two_equal_films() -> None:
    """Naming the first; another film of the same name and year, with its own article, is another film."""
    rows = list(read_wikipedia([film(), "\n", film(), film(href="The_Clock_(other)")]))
    assert [row.line for row in rows] == [1, 3, 4]
    assert reason(rows[1]) == "duplicate of line 1: 'The Clock' (1945)"
    assert imported(rows[0]).id != imported(rows[2]).id


def test_reads_a_film_of_netflix() -> None:
    """Certificate, minutes and genres become ours."""
    title = imported(*read_netflix([HEADER, show(director="Ann Lee, Bo Li", cast="Cy Day", date_added=" May 1, 2020")]))
    assert (
        title.minimum_age, title.is_age_certified, title.certificates, title.duration_seconds,
    ) == (17, True, (("US", "TV-MA"),), 5400)  # fmt: skip
    assert [genre.display_name for genre in title.genres] == ["Drama", "Mystery"]
    assert [credit.person.display_name for credit in title.credits] == ["Ann Lee", "Bo Li", "Cy Day"]
    assert title.added_at.isoformat() == "2020-05-01T00:00:00+00:00"


def test_reads_a_show_of_netflix_with_its_seasons() -> None:
    """As many seasons as it says, without episodes; a kids show with a kids certificate is for children."""
    values = {"type": "TV Show", "duration": "3 Seasons", "rating": "TV-Y7", "listed_in": "Kids' TV"}
    (row,) = read_netflix([HEADER, show(**values)])
    assert isinstance(row, ImportedRow)
    assert (row.title.kind, row.title.is_kids, [s.number for s in row.seasons]) == (TitleKind.SERIES, True, [1, 2, 3])
    assert not imported(*read_netflix([HEADER, show(**values | {"rating": "TV-14"})])).is_kids


def test_puts_a_duration_in_the_rating_column_right() -> None:
    """The row is taken, with a remark, and its rating is unknown."""
    (row,) = read_netflix([HEADER, show(rating="74 min", duration="")])
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
    first, bad, good = read_netflix(lines)
    assert (first.line, bad.line, words in reason(bad)) == (2, 4, True)
    assert imported(good).display_name == "Next"


def test_rejects_rows_of_another_shape_and_files_of_another_kind() -> None:
    """Too few columns, a doubled id, a doubled work, a header of something else."""
    rows = list(
        read_netflix([HEADER, show(), "a,b\r\n", show(title="Other"), show(show_id="s9", title="BLOOD & water")])
    )
    assert reason(rows[1]) == "has 2 columns, wanted 12"
    assert reason(rows[2]) == "duplicate of line 2: 'Other' (2021)"
    assert reason(rows[3]) == "duplicate of line 2: 'BLOOD & water' (2021)"
    (refused,) = read_netflix(["name,age\r\n", "x,1\r\n"])
    assert "the header lacks show_id" in reason(refused)


def write(path: Path, text: str, *, compressed: bool = False) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    return path


async def test_an_import_can_be_repeated(parts: Parts, tmp_path: Path) -> None:
    """The second time nothing changes, nothing is announced; a changed row changes its title and nothing else of ours."""
    text = film() + film(title="Up", year=2009) + "oops\n"
    path = write(tmp_path / "films.jsonl.gz", text, compressed=True)
    steps: list[ImportProgress] = []
    first = await import_catalogue(parts.writer, "wikipedia", path, steps.append)
    assert (first.created, first.updated, first.unchanged, first.rejected_count) == (2, 0, 0, 1)
    assert (first.rejected[0][0], first.rejected[0][1][:7]) == (3, "no JSON")
    assert (steps[-1].read, steps[-1].rejected) == (3, 1)
    await parts.follower.catch_up()
    second = await import_catalogue(parts.writer, "wikipedia", path)
    assert (second.created, second.updated, second.unchanged, second.rejected_count) == (0, 0, 2, 1)
    assert await parts.store.changes_for("search", 10) == []

    title = imported(next(iter(read_wikipedia([film()]))))
    stored = (await parts.store.titles([title.id]))[title.id]
    await parts.put(replace(stored, media=Media(MediaStatus.PROCESSING), is_withdrawn=True))
    third = await import_catalogue(parts.writer, "wikipedia", write(tmp_path / "changed.jsonl", film(extract="New.")))
    assert (third.created, third.updated, third.unchanged) == (0, 1, 0)
    after = (await parts.store.titles([title.id]))[title.id]
    assert (after.synopsis, after.media.status, after.is_withdrawn) == ("New.", MediaStatus.PROCESSING, True)


async def test_a_work_that_another_source_brought_is_not_doubled(demo: Parts, tmp_path: Path) -> None:
    """Nosferatu of 1922 is in the demo catalogue; a Nosferatu of another year is another film."""
    text = film(title="Nosferatu", year=1922) + film(title="Nosferatu", year=2024)
    for expected in ((1, 1), (0, 1)):
        report = await import_catalogue(demo.writer, "wikipedia", write(tmp_path / "films.jsonl", text))
        assert expected == (report.created, report.matched)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no rows"),
        (b"\n\n", "no rows"),
        (gzip.compress(film().encode() * 1000)[:-20], "damaged or cut-off gzip"),
        (b"\x1f\x8bgarbage", "damaged or cut-off gzip"),
        (b'{"title": "\xff"}', "no text in UTF-8"),
        (b"x" * 1_000_002, "more than 1000000 characters"),
    ],
)
async def test_refuses_a_file_that_is_no_catalogue(parts: Parts, tmp_path: Path, content: bytes, words: str) -> None:
    """In words, whatever was in it."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ImportRefused, match=words):
        await import_catalogue(parts.writer, "wikipedia", path)


async def test_refuses_an_unknown_format_and_a_missing_file(parts: Parts, tmp_path: Path) -> None:
    """Naming the formats that there are."""
    with pytest.raises(ImportRefused, match="known are wikipedia, netflix"):
        await import_catalogue(parts.writer, "imdb", tmp_path / "x")
    with pytest.raises(ImportRefused, match="can't be read"):
        await import_catalogue(parts.writer, "wikipedia", tmp_path / "missing")


async def test_the_route_imports_with_progress(own_service: Service) -> None:
    """A file as the body, JSON lines back, and afterwards the films are found by grown-ups and not by children."""
    lines = await post(own_service, "wikipedia", (film(title="Zeppelin Nights") + "oops\n").encode())
    assert [next(iter(line)) for line in lines] == ["progress", "report"]
    assert (
        lines[-1]["report"]["created"], lines[-1]["report"]["rejected"],
    ) == (1, [[2, "no JSON: Expecting value: line 1 column 1 (char 0)"]])  # fmt: skip
    search = '{ search(query: "zeppelin nights") { edges { node { displayName certificate { code } } } } }'
    found = (await own_service.data(search, ADULT))["search"]["edges"]
    assert found[0]["node"] == {"displayName": "Zeppelin Nights", "certificate": {"code": "NR"}}
    assert "Zeppelin Nights" not in str(await own_service.data(search, CHILD))
    refused = await post(own_service, "wikipedia", b"")
    assert refused == [{"error": "the file has no rows"}]
    assert list((own_service.state_dir / "titles" / "uploads").iterdir()) == []


async def test_the_route_is_for_service_tokens(own_service: Service) -> None:
    """Without one, 401; a wrong format 400; a second import at once 409; nothing is taken."""
    for headers in ({}, {"authorization": "Bearer x.y.z"}, {"authorization": "Basic abc"}):
        for path in ("/internal/imports?format=wikipedia", "/internal/republish", "/internal/reindex"):
            assert (await own_service.http.post(path, content=b"x", headers=headers)).status_code == 401
    token = own_service.service_token()
    bad = await own_service.http.post("/internal/imports?format=imdb", content=b"x", headers=token)
    assert (bad.status_code, "known are wikipedia, netflix" in bad.text) == (400, True)
    async with own_service.resources.importing:
        busy = await own_service.http.post("/internal/imports?format=wikipedia", content=b"x", headers=token)
    assert busy.status_code == 409


async def test_the_route_refuses_a_file_over_the_limit(open_service: OpenService, redis: Any) -> None:
    """413 with the limit; nothing stays on disk, and the next import may begin."""
    async with open_service(max_import_bytes=100) as service:
        token = service.service_token()
        answer = await service.http.post("/internal/imports?format=wikipedia", content=b"x" * 101, headers=token)
        assert (answer.status_code, "more than 100 bytes" in answer.text) == (413, True)
        assert list((service.state_dir / "titles" / "uploads").iterdir()) == []
        assert await post(service, "wikipedia", b"") == [{"error": "the file has no rows"}]


async def test_the_operators_routes(own_service: Service) -> None:
    """Everything is announced again, and indexed again."""
    token = own_service.service_token()
    assert (await own_service.http.post("/internal/republish", headers=token)).json() == {"announced": 163}
    assert (await own_service.http.post("/internal/reindex", headers=token)).json() == {"indexed": 163}


async def post(service: Service, format_name: str, content: bytes) -> list[dict[str, Any]]:
    answer = await service.http.post(
        f"/internal/imports?format={format_name}", content=content, headers=service.service_token()
    )
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("format_name", "path", "rows", "at_least"),
    [("wikipedia", WIKIPEDIA_FILE, 36_273, 36_000), ("netflix", NETFLIX_FILE, 8_807, 8_700)],
)
async def test_imports_the_whole_list_once(demo: Parts, format_name: str, path: Path, rows: int, at_least: int) -> None:
    """Every row is created, matched or rejected with a reason, and the second run changes nothing."""
    if not path.exists():  # noqa: ASYNC240  # once, before anything runs
        pytest.skip(f"{path} is not there")
    first = await import_catalogue(demo.writer, format_name, path)
    assert rows == first.created + first.matched + first.rejected_count
    assert first.created >= at_least
    assert all("duplicate" in reason for _, reason in first.rejected)
    second = await import_catalogue(demo.writer, format_name, path)
    assert (0, 0, first.created) == (second.created, second.updated, second.unchanged)
    if format_name == "netflix":
        assert len(first.repaired) == 3


async def test_the_client_sends_a_file_to_a_running_service(
    own_service: Service, tmp_path: Path, unused_tcp_port: int
) -> None:
    """Over a real socket: progress, the report, and a refusal in words."""
    config = uvicorn.Config(own_service.http._transport.app, port=unused_tcp_port, lifespan="off", log_level="error")  # type: ignore[attr-defined]
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
        base_url = f"http://127.0.0.1:{unused_tcp_port}"
        token = own_service.service_token()["authorization"].removeprefix("Bearer ")
        steps: list[ImportProgress] = []
        path = write(tmp_path / "films.jsonl", film() + "oops\n")
        report = await send_import(base_url, token, "wikipedia", path, steps.append)
        assert (report.created, report.rejected[0][0], steps[-1].read) == (1, 2, 2)
        with pytest.raises(ImportRefused, match="needs a service token"):
            await send_import(base_url, "wrong", "wikipedia", path)
        with pytest.raises(ImportRefused, match="no rows"):
            await send_import(base_url, token, "wikipedia", write(tmp_path / "empty", ""))
    finally:
        server.should_exit = True
        await task
