"""Which store and which search engine a URL stands for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from common.clock import Clock
from subgraphs.titles.adapters.mongo import MongoTitleStore
from subgraphs.titles.adapters.opensearch import OpenSearchIndex
from subgraphs.titles.adapters.sql import SqlTitleStore
from subgraphs.titles.adapters.tantivy_index import TantivyIndex
from subgraphs.titles.ports import SearchIndex, TitleStore

__all__ = ["is_mongo_url", "open_search_index", "open_title_store"]


def is_mongo_url(url: str) -> bool:
    """Whether a store's URL is MongoDB's; the others are SQLAlchemy's."""
    return url.startswith(("mongodb://", "mongodb+srv://"))


@asynccontextmanager
async def open_title_store(url: str, clock: Clock) -> AsyncIterator[TitleStore]:
    """The store in its newest form, closed at the block's end.

    Raises ValueError for a URL of no store, what the store says when a newer program was there, and
    ServiceError(UNAVAILABLE).
    """
    if is_mongo_url(url):
        async with MongoTitleStore.open(url, clock) as store:
            yield store
        return
    sql_store = await SqlTitleStore.open(url)
    try:
        yield sql_store
    finally:
        await sql_store.aclose()


@asynccontextmanager
async def open_search_index(url: str | None, name: str, folder: Path, clock: Clock) -> AsyncIterator[SearchIndex]:
    """OpenSearch at `url` below `name`, or tantivy in `folder` where there is no URL; closed at the block's end."""
    index: SearchIndex = TantivyIndex(folder) if url is None else OpenSearchIndex(url, name, clock)
    try:
        yield index
    finally:
        await index.aclose()
