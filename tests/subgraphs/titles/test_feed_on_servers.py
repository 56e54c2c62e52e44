"""Imports on the stores of servers: what a feed does on SQLite it does there, too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from subgraphs.titles.domain.title import Title
from subgraphs.titles.imports.rows import ids_of_key
from subgraphs.titles.ports import TitleStore
from tests.subgraphs.titles.conftest import Parts
from tests.subgraphs.titles.importing import Ran, episode, feed, movie, run_import, series, write
from tests.subgraphs.titles.stores import opened_store


@pytest.fixture(params=["postgres", "mongodb"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TitleStore]:
    async with opened_store(request.param, request, tmp_path) as opened:
        yield opened


async def take(parts: Parts, path: Path, text: str) -> Ran:
    return await run_import(parts, "feed", write(path / "feed.jsonl", text))


async def stored(parts: Parts, key: str) -> Title:
    (title,) = (await parts.store.titles(ids_of_key("acme", key))).values()
    return title


async def test_a_feed_is_imported_again_shrinks_and_grows_back(parts: Parts, tmp_path: Path) -> None:
    """Twice is once; what a full feed lacks goes, comes back, and a delta adds, renames and removes."""
    films = [movie(f"m{number}", cast=[{"name": f"Actor {number % 7}"}]) for number in range(600)]
    shows = [series("s1"), {"record": "season", "series": "s1", "number": 1, "name": "One"}, episode("e1", "s1", 1, 1)]
    assert (await take(parts, tmp_path, feed(*films, *shows))).counts == (602, 0, 0)
    assert (await take(parts, tmp_path, feed(*films, *shows))).counts == (0, 0, 602)
    smaller = await take(parts, tmp_path, feed(*films[:570], *shows))
    assert (smaller.progress.removed, (await stored(parts, "m599")).is_gone) == (30, True)
    assert (await take(parts, tmp_path, feed(*films, *shows))).counts == (0, 30, 572)
    removal = {"record": "removal", "key": "m1"}
    delta = await take(
        parts, tmp_path, feed(episode("e2", "s1", 2, 1), removal, movie("m2", synopsis="New."), scope="delta")
    )
    assert (delta.counts, delta.progress.removed, delta.rejected) == ((1, 1, 0), 1, [])
    (seasons,) = (await parts.store.seasons_of([(await stored(parts, "s1")).id])).values()
    assert [(season.number, season.display_name) for season in seasons] == [(1, "One"), (2, "Season 2")]
    older = parts.store.position("feed:acme")
    assert await older is not None
