"""TVmaze's shows and episodes: read, refused in words, and seasons and episodes where they belong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from subgraphs.kernel.ids import TitleId, stable_id
from subgraphs.titles.domain.title import Season, SeasonId, TitleKind
from subgraphs.titles.imports import ImportRefused
from tests.subgraphs.titles.conftest import Parts
from tests.subgraphs.titles.importing import run_import, write

CATALOGUES = Path(__file__).resolve().parents[4] / "shared" / "data" / "catalog"
SHOWS_FILE = CATALOGUES / "tvmaze_shows.json.gz"
EPISODES_FILE = CATALOGUES / "tvmaze_game_of_thrones_episodes.json.gz"
THRONES = TitleId(stable_id("ser", "tvmaze", "show/82"))


def show(**values: Any) -> dict[str, Any]:
    record = {
        "id": 82,
        "name": "A  Game",
        "language": "Welsh",
        "genres": ["Drama", "Science-Fiction"],
        "premiered": "2011-04-17",
        "network": {"country": {"code": "GB"}},
        "weight": 50,
        "summary": "<p>A <b>tale</b> &amp; more.</p>",
    }
    return record | values


def part(**values: Any) -> dict[str, Any]:
    record = {"id": 1, "name": "One", "season": 1, "number": 1, "airdate": "2011-04-17", "runtime": 60, "summary": ""}
    return record | values


def array(path: Path, *records: Any) -> Path:
    return write(path, json.dumps(records))


async def test_reads_a_show(parts: Parts, tmp_path: Path) -> None:
    """Its facts as ours: plain text, language and country by code; grown-ups only, as nobody has certified it."""
    await run_import(parts, "tvmaze", array(tmp_path / "shows", show()))
    title = (await parts.store.titles([THRONES]))[THRONES]
    assert (title.kind, title.display_name, title.synopsis, title.release_year) == (
        TitleKind.SERIES, "A Game", "A tale & more.", 2011,
    )  # fmt: skip
    assert (title.origin_country, title.original_language, title.popularity) == ("GB", "cy", 0.3)
    assert sorted(genre.display_name for genre in title.genres) == ["Drama", "Science Fiction"]
    assert (title.minimum_age, title.is_age_certified, title.is_kids) == (18, False, False)


async def test_reads_episodes_into_their_seasons(parts: Parts, tmp_path: Path) -> None:
    """Of the show that is named; seasons come with them, a second import changes nothing, a new name is followed."""
    await run_import(parts, "tvmaze", array(tmp_path / "shows", show()))
    path = array(tmp_path / "episodes", part(), part(id=2, number=2), part(id=3, season=2, runtime=None))
    first = await run_import(parts, "tvmaze-episodes", path, show="82")
    assert first.counts == (3, 0, 0)
    (slots,) = (await parts.store.episodes_of([THRONES])).values()
    assert [(slot.season_number, slot.number) for slot in slots] == [(1, 1), (1, 2), (2, 1)]
    (seasons,) = (await parts.store.seasons_of([THRONES])).values()
    assert [(season.number, season.display_name) for season in seasons] == [(1, "Season 1"), (2, "Season 2")]
    assert {slot.season_id for slot in slots} == {season.id for season in seasons}
    assert (await run_import(parts, "tvmaze-episodes", path, show="82")).counts == (0, 0, 3)
    renamed = array(tmp_path / "renamed", part(name="Renamed"))
    assert (await run_import(parts, "tvmaze-episodes", renamed, show="82")).counts == (0, 1, 0)


async def test_a_season_that_was_renamed_by_hand_stays(parts: Parts, tmp_path: Path) -> None:
    """Also when its series or its episodes change at the source."""
    await run_import(parts, "tvmaze", array(tmp_path / "shows", show()))
    await run_import(parts, "tvmaze-episodes", array(tmp_path / "episodes", part()), show="82")
    season_id = SeasonId(stable_id("sea", "tvmaze", "show/82", "1"))
    await parts.editor.put_season(Season(season_id, THRONES, 1, "The Beginning"), "acc_9")
    await run_import(parts, "tvmaze-episodes", array(tmp_path / "changed", part(name="Other")), show="82")
    assert (await parts.store.seasons_by_id([season_id]))[season_id].display_name == "The Beginning"


async def test_episodes_of_a_show_that_is_not_here_are_rejected(parts: Parts, tmp_path: Path) -> None:
    """All of them, so the file is refused, saying what to import first."""
    with pytest.raises(ImportRefused, match="import the series first"):
        await run_import(parts, "tvmaze-episodes", array(tmp_path / "episodes", part()), show="82")
    with pytest.raises(ImportRefused, match=r"the show is 'thrones', wanted TVmaze's number"):
        await run_import(parts, "tvmaze-episodes", array(tmp_path / "episodes", part()), show="thrones")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"id": "82"}, "id is '82', wanted a number"),
        ({"name": " "}, "no name"),
        ({"name": "x" * 501}, "the name has 501 characters"),
        ({"genres": "Drama"}, "genres is 'Drama'"),
        ({"language": "Klingon"}, "language is 'Klingon'"),
        ({"premiered": "17.04.2011"}, "premiered is '17.04.2011', wanted a day like"),
        ({"premiered": 2011}, "premiered is '2011'"),
        ({"summary": ["x"]}, "summary is a list"),
        ({"weight": 101}, "weight is 101, wanted a number from 0 to 100"),
        ({"season": 1}, "this is an episode"),
        ({"name": "a\ud800b"}, "the title holds the sign U\\+D800"),
        ({"network": ["x"]}, "network is"),
    ],
)
async def test_rejects_a_bad_show(parts: Parts, tmp_path: Path, values: dict[str, Any], words: str) -> None:
    """With its line and what is wrong; the next is read."""
    records = [show(**{"id": 5, "name": "Bad"} | values), show(), show(), [1]]
    ran = await run_import(parts, "tvmaze", write(tmp_path / "shows", json.dumps(records, indent=1)))
    assert ran.counts == (1, 0, 0)
    (line, reason), (_, double), (_, list_) = ran.rejected
    assert line == 2
    assert words.replace("\\", "") in reason
    assert "duplicate of line" in double
    assert list_ == "a JSON list, wanted an object"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"season": None}, "season is None"),
        ({"number": 0}, "number is 0, wanted a number from 1"),
        ({"number": None}, "number is None"),
        ({"runtime": "60"}, "runtime is '60'"),
        ({"airdate": "soon"}, "airdate is 'soon'"),
    ],
)
async def test_rejects_a_bad_episode(parts: Parts, tmp_path: Path, values: dict[str, Any], words: str) -> None:
    """With what is wrong; the next is read."""
    await run_import(parts, "tvmaze", array(tmp_path / "shows", show()))
    ran = await run_import(
        parts, "tvmaze-episodes", array(tmp_path / "episodes", part(id=9, **values), part()), show="82"
    )
    assert ran.counts == (1, 0, 0)
    assert words in ran.rejected[0][1]


@pytest.mark.data
async def test_imports_the_real_shows_and_episodes(parts: Parts, tmp_path: Path) -> None:
    """301 shows in 11 languages, 73 episodes in 8 seasons; no markup is left, and a second import changes nothing."""
    if not SHOWS_FILE.exists():
        pytest.skip(f"{SHOWS_FILE} is not there")
    for source, name, show_id, expected in (
        (SHOWS_FILE, "tvmaze", None, 301),
        (EPISODES_FILE, "tvmaze-episodes", "82", 73),
    ):
        copy = tmp_path / source.name
        copy.symlink_to(source)
        assert (await run_import(parts, name, copy, show=show_id)).counts == (expected, 0, 0)
        assert (await run_import(parts, name, copy, show=show_id)).counts == (0, 0, expected)
    titles = (await parts.store.titles(await parts.store.ids_of_source("tvmaze", "", 1_000))).values()
    assert len({title.original_language for title in titles if title.kind is TitleKind.SERIES}) == 11
    assert not [title.synopsis for title in titles if "<" in title.synopsis or "&amp;" in title.synopsis]
    (slots,) = (await parts.store.episodes_of([THRONES])).values()
    counts = [sum(1 for slot in slots if slot.season_number == number) for number in range(1, 9)]
    assert counts == [10, 10, 10, 10, 10, 10, 7, 6]
