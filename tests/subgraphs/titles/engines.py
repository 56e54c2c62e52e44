"""Search engines for the contract's tests: each one opened empty, with a name of its own where it is shared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from common.clock import Clock, FakeClock
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.opensearch import OpenSearchIndex
from subgraphs.titles.adapters.tantivy_index import TantivyIndex
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.title import Title
from subgraphs.titles.ports import SearchIndex
from tests.subgraphs.titles.conftest import ADULT, NOW, Parts

ENGINES = ("tantivy", "opensearch")
SCOPE = CatalogueScope.of(ADULT, NOW)
THE_KID, COPS = TitleId("mov_the-kid-1921"), TitleId("mov_cops-1922")


@asynccontextmanager
async def opened_index(
    engine: str, request: pytest.FixtureRequest, clock: Clock | None = None
) -> AsyncIterator[SearchIndex]:
    """Skips the test when the engine's server is not there."""
    index: SearchIndex
    if engine == "opensearch":
        url, prefix = request.getfixturevalue("opensearch_url"), request.getfixturevalue("opensearch_prefix")
        index = OpenSearchIndex(url, f"{prefix}titles", clock or FakeClock(NOW))
    else:
        index = TantivyIndex(None)
    try:
        await index.prepare()
        yield index
    finally:
        await index.aclose()


async def empty(index: SearchIndex) -> None:
    """Whatever is in it is gone."""
    await (await index.begin_build()).publish()


async def found(index: SearchIndex, text: str) -> set[str]:
    return {hit.title_id for hit in (await index.search(text, SCOPE, TitleFilter(), frozenset(), 50)).hits}


async def changed(demo: Parts, title_id: TitleId, **changes: object) -> Title:
    title = (await demo.store.titles([title_id]))[title_id]
    return replace(title, revision=title.revision + 1, **changes)  # type: ignore[arg-type]
