"""Import files as they come: encodings, line ends, endless lines, packed wrongly, of another kind; and none is fatal."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from subgraphs.titles.imports import ImportRefused
from subgraphs.titles.imports.files import MAX_LINE_LENGTH, open_import_file, read_elements
from subgraphs.titles.imports.netflix import COLUMNS
from subgraphs.titles.imports.texts import has_markup, plain_text
from tests.subgraphs.titles.conftest import Parts
from tests.subgraphs.titles.importing import feed, movie, run_import


def film(name: str, **values: Any) -> bytes:
    return json.dumps({"title": name, "year": 1945} | values).encode() + b"\n"


async def test_a_byte_order_mark_and_foreign_line_ends_are_nothing(parts: Parts, tmp_path: Path) -> None:
    """The first row is read as the others; CRLF ends a line, and a last line needs no end."""
    path = tmp_path / "films.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(film(name).strip() for name in ("One", "Two", "Three")))
    assert (await run_import(parts, "wikipedia", path)).counts == (3, 0, 0)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"title": "caf\xe9", "year": 1945}\n', "no JSON: str is not valid UTF-8"),
        (film("a\x00b"), "the title holds the sign U+0000 at character 2, which is no text"),
        (film("One", extract="bell \x07"), "the synopsis holds the sign U+0007"),
        (film("One", cast=["a\x00b"]), "a name in the credits holds the sign U+0000"),
        (b'{"title": "\\ud800", "year": 1945}\n', "no JSON"),
        (b'{"title": "\x00", "year": 1945}\n', "no JSON"),
        (b"[" * 5_000 + b"\n", "no JSON"),
        (b'{"title": "' + b"x" * 10_000_000 + b'", "year": 1945}\n', "the line has more than 1,000,000 characters"),
    ],
)
async def test_a_dirty_line_costs_itself_and_no_other(parts: Parts, tmp_path: Path, line: bytes, words: str) -> None:
    """Rejected by its number and in words, the next one is taken; so it is in a packed file."""
    for name, packed in (("plain", False), ("packed", True)):
        content = film(f"First {name}") + line + film(f"Third {name}")
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if packed else content)
        ran = await run_import(parts, "wikipedia", path)
        assert ran.counts == (2, 0, 0)
        ((number, reason),) = ran.rejected
        assert (number, words in reason) == (2, True), reason


async def test_dirty_cells_of_a_table_are_named(parts: Parts, tmp_path: Path) -> None:
    """By column; a cell that is no UTF-8, one with a NUL, one without end."""

    def row(key: str, title: bytes) -> bytes:
        cells = {"show_id": key.encode(), "type": b"Movie", "title": title, "release_year": b"2000"}
        return b",".join(b'"' + cells.get(column, b"") + b'"' for column in COLUMNS) + b"\r\n"

    header = ",".join(COLUMNS).encode() + b"\r\n"
    dirty = [row("s1", b"caf\xe9"), row("s2", b"a\x00b"), row("s3", b"x" * 3_000_000), row("s4", b"Good")]
    path = tmp_path / "list.csv"
    path.write_bytes(header + b"".join(dirty))
    ran = await run_import(parts, "netflix", path)
    assert ran.counts == (1, 0, 0)
    reasons = dict(ran.rejected)
    assert "title is no UTF-8: byte 0xe9 at character 4" in reasons[2]
    assert "title holds the sign U+0000" in reasons[3]
    assert "field larger than field limit" in reasons[4]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no rows"),
        (b"\n\n", "no rows"),
        (gzip.compress(film("One") * 1000, mtime=0)[:-20], "damaged or cut-off gzip"),
        (b"\x1f\x8bgarbage", "damaged or cut-off gzip"),
        (gzip.compress(gzip.compress(film("One"), mtime=0), mtime=0), "compressed twice"),
        (b"PK\x03\x04" + b"x" * 50, "compressed in another way than gzip"),
        ("\ufeff{}".encode("utf-16-le"), "is UTF-16; wanted UTF-8"),
        (b"show_id,type,title\n" * 600, "none of the first 500 rows can be used; the first is line 1: no JSON"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "none of the first"),
    ],
)
async def test_refuses_a_file_that_is_no_catalogue(parts: Parts, tmp_path: Path, content: bytes, words: str) -> None:
    """In words, whatever was in it."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ImportRefused, match=words):
        await run_import(parts, "wikipedia", path)


async def test_refuses_a_file_that_unpacks_out_of_all_proportion(parts: Parts, tmp_path: Path) -> None:
    """80 MB of blanks in 350 kB; it is not read to its end."""
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(film("One"))
        for _ in range(80):
            file.write(b" " * 999_999 + b"\n")
    with pytest.raises(ImportRefused, match=r"unpacks to more than .* bytes, 200 times its size"):
        await run_import(parts, "wikipedia", path)


async def test_refuses_a_missing_file_and_a_show_where_none_belongs(parts: Parts, tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(ImportRefused, match="can't be read"):
        await run_import(parts, "wikipedia", tmp_path / "missing")
    path = tmp_path / "films"
    path.write_bytes(film("One"))
    with pytest.raises(ImportRefused, match="a show goes with format tvmaze-episodes"):
        await run_import(parts, "wikipedia", path, show="82")
    with pytest.raises(ImportRefused, match="which needs one"):
        await run_import(parts, "tvmaze-episodes", path)


def elements(path: Path, text: str) -> list[tuple[int, object]]:
    path.write_text(text)
    with open_import_file(path) as file:
        return list(read_elements(file))


def test_reads_an_array_element_by_element(tmp_path: Path) -> None:
    """With the line that each begins at, however large the array and wherever pieces of reading end."""
    path = tmp_path / "array"
    assert elements(path, " [ ] ") == []
    assert elements(path, '[\n{"a": 1},\n\n{"b": "x\\ny"}]') == [(2, {"a": 1}), (4, {"b": "x\ny"})]
    many = [{"number": number, "text": "é" * (number % 97)} for number in range(5_000)]
    found = elements(path, json.dumps(many, indent=1))
    assert [element for _, element in found] == many
    assert found[1][0] == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1}', r"line 1: wanted a JSON array"),
        ('[{"a": 1},\n{"b": 2}', "line 2: the array has no end; is the file cut off"),
        ('[{"a": 1}\n{"b": 2}]', "line 2: wanted ',' or ']'"),
        ('[{"a": 1},\n{"b": ', "line 2: no JSON"),
        ("", "the array has no end"),
        ("[" * 100_000, "nested too deeply"),
        ('["' + "x" * (MAX_LINE_LENGTH + 100_000) + '"', "an element of more than 1,000,000 characters"),
    ],
)
def test_refuses_what_is_no_array(tmp_path: Path, text: str, words: str) -> None:
    """With the line and what stands there."""
    with pytest.raises(ImportRefused, match=words):
        elements(tmp_path / "array", text)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One <b>Two</b>.</p><p>Three<br />Four</p>", "One Two. Three Four"),
        ("Salt &amp; Pepper &#233;&quot;", 'Salt & Pepper é"'),
        ("<script>alert(1)</script>Plain<style>p {}</style>", "Plain"),
        ("<img src=x onerror=alert(1)>Plain<!-- not this -->", "Plain"),
        ("<p>never closed", "never closed"),
    ],
)
def test_makes_plain_text_of_markup(markup: str, text: str) -> None:
    """What a reader would see: no elements, no scripts, references resolved."""
    assert has_markup(markup)
    assert plain_text(markup) == text


def test_knows_plain_text_from_markup() -> None:
    """Signs that HTML uses, too, are left as they are."""
    for text in ("Tom & Jerry", "I <3 U", "a < b > c", "R&D; a story", "1 <2>"):
        assert not has_markup(text)


def test_a_file_of_any_length_takes_the_same_memory(tmp_path: Path) -> None:
    """Behind 20,000 rows the process grows no more than the scratch database's cache, up to 100,000."""
    path = tmp_path / "films.jsonl"
    with path.open("w") as file:
        for number in range(100_000):
            film_ = {"title": f"Film {number}", "year": 2000}
            file.write(json.dumps(film_) + "\n")
    program, root = Path(__file__).parent / "files" / "measure_reading.py", Path(__file__).resolve().parents[3]
    environment = os.environ | {"PYTHONPATH": str(root)}
    output = subprocess.check_output([sys.executable, program, path], env=environment, timeout=120)
    early_kb, late_kb = json.loads(output)
    assert late_kb - early_kb < 12_000, (early_kb, late_kb)


async def test_html_in_a_feed_is_taken_as_text_with_a_remark(parts: Parts, tmp_path: Path) -> None:
    """The row is listed among the repaired ones."""
    path = tmp_path / "feed.jsonl"
    path.write_text(feed(movie("m1", synopsis="<p>A <i>fine</i> film &amp; more.</p>")))
    ran = await run_import(parts, "feed", path)
    assert ran.repaired == [(2, "there was HTML in the synopsis; taken as plain text")]
    ((title_id),) = await parts.store.ids_of_source("acme", "", 10)
    assert (await parts.store.titles([title_id]))[title_id].synopsis == "A fine film & more."
