"""Our own feed format: what each record does, full feeds that take titles away, and what is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import Window
from subgraphs.titles.domain.title import CreditRole, Title, TitleKind
from subgraphs.titles.imports import ImportRefused
from subgraphs.titles.imports.feed_records import feed_schema
from subgraphs.titles.imports.rows import ids_of_key
from tests.subgraphs.titles.conftest import Parts
from tests.subgraphs.titles.importing import HEADER, Ran, episode, feed, lines_of, movie, run_import, series, write

DOCS = Path(__file__).resolve().parents[3] / "docs"
SCHEMA_FILE = DOCS / "feed_format.schema.json"


async def take(parts: Parts, path: Path, text: str, **options: Any) -> Ran:
    return await run_import(parts, "feed", write(path / "feed.jsonl", text), **options)


async def stored(parts: Parts, key: str) -> Title:
    (title,) = (await parts.store.titles(ids_of_key("acme", key))).values()
    return title


async def listed(parts: Parts) -> set[str]:
    titles = await parts.store.titles(await parts.store.ids_of_source("acme", "", 100))
    return {title.origin.key for title in titles.values()}


async def test_takes_every_kind_of_record(parts: Parts, tmp_path: Path) -> None:
    """A film with everything, a series with a named season, episodes, people by key, windows; twice is once."""
    text = feed(
        {"record": "person", "key": "p1", "name": "Ann  Lee"},
        movie(
            "m1",
            synopsis="A film.",
            durationSeconds=5_400,
            genres=["Drama", "Drama"],
            directors=[{"person": "p1"}],
            writers=[{"name": "Bo Li"}],
            cast=[{"name": "Cy Day", "character": "Himself"}],
            certificates={"US": "PG-13", "DE": "FSK 12"},
            originCountry="SE",
            originalLanguage="sv",
            popularity=0.5,
            addedAt="2026-01-02T03:04:05Z",
        ),
        series("s1"),
        {"record": "season", "series": "s1", "number": 1, "name": "The Beginning"},
        episode("e1", "s1", 1, 1),
        episode("e2", "s1", 2, 1, availability={"windows": [{"country": "SE", "from": "2027-01-01T00:00:00+01:00"}]}),
        {"record": "availability", "key": "m1", "windows": [{"country": "SE"}], "blockedCountries": ["NO"]},
    )
    first = await take(parts, tmp_path, text)
    assert (first.counts, first.rejected, first.held) == ((4, 0, 0), [], None)
    assert (await take(parts, tmp_path, text)).counts == (0, 0, 4)
    film = await stored(parts, "m1")
    assert (film.credited(CreditRole.DIRECTOR), film.credited(CreditRole.WRITER)) == (("Ann Lee",), ("Bo Li",))
    assert [line.character for line in film.credits] == [None, None, "Himself"]
    assert (film.minimum_age, film.is_age_certified, film.certificates) == (
        13,
        True,
        (("DE", "FSK 12"), ("US", "PG-13")),
    )
    assert (film.windows, film.blocked_countries) == ((Window("SE"),), frozenset({"NO"}))
    assert film.added_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    first_episode, second = await stored(parts, "e1"), await stored(parts, "e2")
    assert (first_episode.kind, first_episode.windows) == (TitleKind.EPISODE, (Window("*"),))
    assert second.windows[0].opens_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
    (seasons,) = (await parts.store.seasons_of([(await stored(parts, "s1")).id])).values()
    assert [(season.number, season.display_name) for season in seasons] == [(1, "The Beginning"), (2, "Season 2")]


async def test_what_is_not_said_to_be_available_is_seen_nowhere(parts: Parts, tmp_path: Path) -> None:
    """Until an availability record says where; a title record without a word of it leaves it as it is."""
    film = movie("m1", availability=None)
    await take(parts, tmp_path, feed(film))
    assert (await stored(parts, "m1")).windows == ()
    offer = {"record": "availability", "key": "m1", "windows": [{"country": "US"}]}
    assert (await take(parts, tmp_path, feed(offer, scope="delta"))).counts == (0, 1, 0)
    assert (await take(parts, tmp_path, feed(film, scope="delta"))).counts == (0, 0, 1)
    assert (await stored(parts, "m1")).windows == (Window("US"),)


async def test_a_full_feed_takes_away_what_it_lacks_and_brings_it_back(parts: Parts, tmp_path: Path) -> None:
    """Nothing is deleted; a title by hand, or of another source, is not touched."""
    other = feed(movie("m1", name="Another"), source="other")
    await run_import(parts, "feed", write(tmp_path / "other.jsonl", other))
    films = [movie(f"m{number}") for number in range(20)]
    await take(parts, tmp_path, feed(*films))
    ran = await take(parts, tmp_path, feed(*films[:19]))
    assert (ran.progress.removed, ran.held, ran.counts) == (1, None, (0, 0, 19))
    assert (await stored(parts, "m19")).is_gone
    assert len(await parts.store.ids_of_source("other", "", 10)) == 1
    back = await take(parts, tmp_path, feed(*films))
    assert (back.counts, (await stored(parts, "m19")).is_gone) == ((0, 1, 19), False)
    assert (await take(parts, tmp_path, feed(*films))).counts == (0, 0, 20)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            feed(*(movie(f"m{number}") for number in range(17))),
            "3 of 20 titles are missing from the feed, more than 10%",
        ),
        (feed(*(movie(f"m{number}") for number in range(19)), end=False), "the end record is missing; is the file cut"),
        (
            feed(*(movie(f"m{number}") for number in range(19)), {"record": "end", "records": 20}, end=False),
            "the end record counts 20 records, there are 19",
        ),
        (
            feed(*(movie(f"m{number}") for number in range(19)), '{"record": "tit'),
            "of 1 rejected lines it can't be read which titles they are about",
        ),
    ],
)
async def test_a_doubtful_feed_takes_nothing_away(parts: Parts, tmp_path: Path, text: str, words: str) -> None:
    """It says how many are missing and why they were left; told that it is meant, it does."""
    await take(parts, tmp_path, feed(*(movie(f"m{number}") for number in range(20))))
    ran = await take(parts, tmp_path, text)
    assert words in (ran.held or "")
    assert (ran.progress.removed, len(await listed(parts))) == (0, 20)
    allowed = await take(parts, tmp_path, text, is_removal_allowed=True)
    assert (allowed.held, len(await listed(parts))) == (None, 20 - allowed.progress.removed)
    assert allowed.progress.removed in {1, 3}


async def test_a_title_with_a_dirty_line_is_not_missing(parts: Parts, tmp_path: Path) -> None:
    """Its line is rejected; the title stays as it was."""
    films = [movie(f"m{number}") for number in range(20)]
    await take(parts, tmp_path, feed(*films))
    ran = await take(parts, tmp_path, feed(*films[:19], movie("m19", releaseYear="2020")))
    assert (ran.progress.removed, ran.progress.rejected, len(await listed(parts))) == (0, 1, 20)


async def test_a_delta_adds_changes_and_removes(parts: Parts, tmp_path: Path) -> None:
    """What it does not speak of stays; removing twice is once; an unknown title is a rejected row."""
    await take(parts, tmp_path, feed(movie("m1"), movie("m2"), series("s1"), episode("e1", "s1", 1, 1)))
    delta = feed(
        movie("m2", synopsis="New."),
        movie("m3"),
        episode("e2", "s1", 1, 2),
        {"record": "season", "series": "s1", "number": 3, "name": "Three"},
        {"record": "removal", "key": "m1"},
        scope="delta",
    )
    ran = await take(parts, tmp_path, delta)
    assert (ran.counts, ran.progress.removed, await listed(parts)) == ((2, 1, 0), 1, {"m2", "m3", "s1", "e1", "e2"})
    again = await take(parts, tmp_path, delta)
    assert (again.counts, again.progress.removed, again.rejected) == ((0, 0, 3), 0, [])
    unknown = [{"record": "removal", "key": "m9"}, {"record": "availability", "key": "m8"}, episode("e9", "s9", 1, 1)]
    reasons = [
        reason for _, reason in (await take(parts, tmp_path, feed(movie("m3"), *unknown, scope="delta"))).rejected
    ]
    assert "no title 'm9' here that could be removed" in reasons[0]
    assert "no title 'm8' here, in this feed or before" in reasons[1]
    assert "its series is not in the catalogue" in reasons[2]


async def test_episodes_of_a_series_from_another_source_stay_out(parts: Parts, tmp_path: Path) -> None:
    """The series is matched, not doubled; its episodes do not hang in the air, in this batch or a later one."""
    other = feed(series("x", name="One Series"), source="other")
    await run_import(parts, "feed", write(tmp_path / "other.jsonl", other))
    films = [movie(f"m{number}") for number in range(500)]
    text = feed(series("s1", name="One Series"), episode("e1", "s1", 1, 1), *films, episode("e2", "s1", 1, 2))
    ran = await take(parts, tmp_path, text)
    assert (ran.progress.taken.created, ran.progress.taken.matched) == (500, 2)
    assert "is there from another source" in ran.rejected[0][1]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (movie("m1"), "duplicate of line 2: key 'm1'"),
        (series("m1"), "duplicate of line 2: key 'm1'"),
        (movie("m 2"), "key: String should match pattern"),
        (movie("m2", name=""), "name: String should have at least 1 character"),
        (movie("m2", name="  "), "a name is empty"),
        (movie("m2", name="x" * 501), "name: String should have at most 500 characters"),
        (movie("m2", name="a\x00b"), "the title holds the sign U+0000"),
        (movie("m2", kind="GAME"), "kind: Input should be 'MOVIE' or 'SERIES', got 'GAME'"),
        (movie("m2", releaseYear="2020"), "releaseYear: Input should be a valid integer, got '2020'"),
        (movie("m2", releaseYear=1066), "releaseYear: Input should be greater than or equal to 1880, got '1066'"),
        (movie("m2", colour=True), "colour: Extra inputs are not permitted"),
        (movie("m2", addedAt="20.11.2026"), "addedAt: Input should be a valid datetime"),
        (movie("m2", addedAt="2026-11-20T00:00:00"), "addedAt: Input should have timezone info"),
        (movie("m2", addedAt=1_700_000_000), "addedAt: Input should be a valid datetime"),
        (movie("m2", certificates={"US": "XXL"}), "certificates.US is 'XXL'; known in US are"),
        (movie("m2", certificates={"ZZ": "1"}), "certificates.ZZ is for 'ZZ', whose certificates are not known"),
        (movie("m2", isKids=True), "isKids is true, but the strictest certificate is for 18, above 7"),
        (movie("m2", isKids=True, certificates={"US": "R"}), "isKids is true, but"),
        (movie("m2", cast=[{"person": "p9"}]), "person 'p9' has no record before this line"),
        (movie("m2", cast=[{}]), "a credit has a name or a person's key"),
        (movie("m2", cast=[{"name": "A"}] * 101), "cast: Tuple should have at most 100 items"),
        (movie("m2", availability={"windows": [{"country": "USA"}]}), "availability.windows.0.country: String"),
        (
            movie(
                "m2",
                availability={
                    "windows": [{"country": "*", "from": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}]
                },
            ),
            "windows.0 ends at 2026-01-01T00:00:00+00:00, before",
        ),
        (episode("e1", "s9", 1, 1), "series 's9' has no usable record before this line"),
        ({"record": "season", "series": "s9", "number": 1, "name": "x"}, "series 's9' has no usable record"),
        ({"record": "removal", "key": "m2"}, "a full feed removes titles by leaving them out"),
        ({"record": "trailer"}, "Input tag 'trailer' found using 'record' does not match any"),
        (HEADER, "a second header; one feed, one file"),
        ("[]", "Input should be an object"),
        ('{"record": "title", "key": "\\ud800"}', "Invalid JSON"),
        ("x" * 1_000_001, "the line has more than 1,000,000 characters"),
    ],
)
async def test_rejects_a_bad_record(parts: Parts, tmp_path: Path, record: dict[str, Any] | str, words: str) -> None:
    """With its line, the member and the value seen; the next line is taken."""
    ran = await take(parts, tmp_path, feed(movie("m1"), record, movie("m3")))
    assert ran.counts == (2, 0, 0)
    ((line, reason),) = ran.rejected
    assert (line, words in reason) == (3, True), reason


async def test_nothing_is_read_behind_the_end(parts: Parts, tmp_path: Path) -> None:
    """It is told as a rejected row."""
    ran = await take(parts, tmp_path, feed(movie("m1")) + lines_of([movie("m2")]))
    assert (ran.counts, ran.rejected) == ((1, 0, 0), [(4, "stands behind the end record")])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file has no rows"),
        (lines_of([movie("m1")]), r"line 1 is no header"),
        ("\n\nnot json\n", "line 3 is no JSON"),
        (feed(movie("m1"), version=2), "the feed is of version 2, known here is 1"),
        (feed(movie("m1"), source="Acme Films"), "source: String should match pattern"),
        (feed(movie("m1"), source="netflix"), "source 'netflix' is taken"),
        (feed(movie("m1"), scope="half"), "scope: Input should be 'full' or 'delta', got 'half'"),
        (feed(movie("m1"), generatedAt="today"), "generatedAt: Input should be a valid datetime"),
        (feed(), "the file has no rows"),
    ],
)
async def test_refuses_a_feed_without_a_fit_header(parts: Parts, tmp_path: Path, text: str, words: str) -> None:
    """Whole, with what was found."""
    with pytest.raises(ImportRefused, match=re.escape(words)):
        await take(parts, tmp_path, text)
    assert await listed(parts) == set()


async def test_refuses_a_feed_older_than_the_last(parts: Parts, tmp_path: Path) -> None:
    """Of the same source; the same feed again is welcome."""
    newer, older = feed(movie("m1"), generatedAt="2026-11-20T10:00:00Z"), feed(movie("m1", name="Old"))
    await take(parts, tmp_path, newer)
    with pytest.raises(ImportRefused, match="older than the last one of source acme, which is of 2026-11-20T10:00"):
        await take(parts, tmp_path, older)
    assert (await take(parts, tmp_path, newer)).counts == (0, 0, 1)


async def test_what_was_edited_by_hand_stays(parts: Parts, tmp_path: Path) -> None:
    """A feed says again what it said, and windows that were set by hand outlive its availability records."""
    await take(parts, tmp_path, feed(movie("m1")))
    title = await stored(parts, "m1")
    by_hand = replace(title, windows=(Window("FR"),), edited_fields=frozenset({"windows"}), revision=2)
    await parts.put(by_hand)
    offer = {"record": "availability", "key": "m1", "windows": [{"country": "US"}]}
    await take(parts, tmp_path, feed(movie("m1", synopsis="New."), offer))
    after = await stored(parts, "m1")
    assert (after.synopsis, after.windows) == ("New.", (Window("FR"),))


def test_the_schema_in_the_documents_is_the_one_that_is_read_by() -> None:
    """Made of the same classes; write it with `marquee import --schema`."""
    assert json.loads(SCHEMA_FILE.read_text()) == feed_schema()


def examples() -> list[str]:
    return re.findall(r"```jsonl\n(.*?)```", (DOCS / "feed_format.md").read_text(), re.DOTALL)


def test_the_examples_keep_to_the_schema() -> None:
    """Each line of each example in the document."""
    validator = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))
    assert len(examples()) >= 2
    for example in examples():
        for line in example.splitlines():
            validator.validate(json.loads(line))
    assert not validator.is_valid({"record": "title", "key": "m1"})


async def test_the_examples_can_be_imported_one_after_the_other(parts: Parts, tmp_path: Path) -> None:
    """Without a rejected row, and what the document says of them comes true."""
    full, delta = examples()[:2]
    assert (await take(parts, tmp_path, full)).rejected == []
    assert len(await parts.store.ids_of_source("acme-films", "", 100)) == 4
    ran = await take(parts, tmp_path, delta)
    assert (ran.rejected, ran.progress.removed) == ([], 1)
    assert len(await parts.store.ids_of_source("acme-films", "", 100)) == 4


def test_ids_of_a_source_are_for_ever() -> None:
    """The id of a key follows from source and key alone; these were given to clients."""
    assert ids_of_key("acme", "m1")[0] == TitleId("mov_e5rkonrfr5wsny4ztyl3loqmy6")
