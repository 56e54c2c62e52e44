"""Who answers: our index on both engines, and peers that search the same names as their documentation shows.

Peers get names, genres, people and synopses as plain text, know nothing of viewers, and have the fuzziness that they
offer: none in SQLite's FTS5 but its trigram tokenizer, AUTO in OpenSearch's multi_match.
"""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from opensearchpy import AsyncOpenSearch
from opensearchpy.exceptions import TransportError

from common.clock import SystemClock
from common.tokens import Viewer
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.opensearch import OpenSearchIndex
from subgraphs.titles.adapters.tantivy_index import TantivyIndex
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.title import Title
from subgraphs.titles.ports import SearchIndex

__all__ = ["Engine", "open_engine"]

VIEWER = Viewer(account_id="acc_1", country="US", profile_id="prof_1", maturity=18, subscription="ACTIVE")
CHUNK = 1_000


class Engine(Protocol):
    """Texts in, the best titles out."""

    async def fill(self, titles: Sequence[Title]) -> None:
        """Nothing is in it before."""
        ...

    async def search(self, text: str, limit: int) -> list[TitleId]:
        """The best ones first."""
        ...


class OurIndex:
    """A SearchIndex asked by a grown-up."""

    def __init__(self, index: SearchIndex) -> None:
        self._index = index
        self._scope = CatalogueScope.of(VIEWER, datetime.now(UTC))

    async def fill(self, titles: Sequence[Title]) -> None:
        """As a rebuild does it."""
        build = await self._index.begin_build()
        for start in range(0, len(titles), CHUNK):
            await build.update(titles[start : start + CHUNK])
        await build.publish()

    async def search(self, text: str, limit: int) -> list[TitleId]:
        """See Engine."""
        answer = await self._index.search(text, self._scope, TitleFilter(), frozenset(), limit)
        return [hit.title_id for hit in answer.hits]


class Fts5:
    """SQLite's full text search: all words first, then any; `tokenizer` as CREATE VIRTUAL TABLE takes it."""

    def __init__(self, tokenizer: str) -> None:
        self._database = sqlite3.connect(":memory:")
        columns = f"id UNINDEXED, name, people, genres, synopsis, tokenize='{tokenizer}'"
        self._database.execute(f"CREATE VIRTUAL TABLE titles USING fts5({columns})")
        self._is_trigram = tokenizer == "trigram"

    async def fill(self, titles: Sequence[Title]) -> None:
        """See Engine."""
        rows = ((title.id, *_texts(title)) for title in titles)
        self._database.executemany("INSERT INTO titles VALUES (?, ?, ?, ?, ?)", rows)

    async def search(self, text: str, limit: int) -> list[TitleId]:
        """See Engine."""
        words = re.findall(r"\w+", text)
        if self._is_trigram:
            text = " ".join(words)
            words = [text[place : place + 3] for place in range(len(text) - 2)]
        for between in (" ", " OR "):
            asked = between.join(f'"{word}"' for word in words)
            found = self._database.execute(
                "SELECT id FROM titles WHERE titles MATCH ? ORDER BY bm25(titles, 0, 3, 2, 2, 1) LIMIT ?",
                (asked, limit),
            ).fetchall()
            if found or not asked:
                break
        return [TitleId(title_id) for (title_id,) in found]


class MultiMatch:
    """OpenSearch as its guide shows it: dynamic text fields, multi_match with boosts and fuzziness AUTO."""

    def __init__(self, client: AsyncOpenSearch, index_name: str) -> None:
        self._client = client
        self._index_name = index_name

    async def fill(self, titles: Sequence[Title]) -> None:
        """See Engine."""
        for start in range(0, len(titles), CHUNK):
            body: list[dict[str, Any]] = []
            for title in titles[start : start + CHUNK]:
                name, people, genres, synopsis = _texts(title)
                body += [
                    {"index": {"_id": title.id}},
                    {"name": name, "people": people, "genres": genres, "synopsis": synopsis},
                ]
            await self._client.bulk(body=body, index=self._index_name, request_timeout=60)
        await self._client.indices.refresh(index=self._index_name, request_timeout=60)

    async def search(self, text: str, limit: int) -> list[TitleId]:
        """See Engine."""
        fields = ["name^3", "people^2", "genres^2", "synopsis"]
        query = {"multi_match": {"query": text, "fields": fields, "fuzziness": "AUTO"}}
        try:
            answer = await self._client.search(
                index=self._index_name, body={"query": query, "size": limit, "_source": False}, request_timeout=60
            )
        except TransportError as error:
            # Many words with typos over four fields are more clauses than it takes: nothing is found then.
            if "too many nested clauses" not in str(error):
                raise
            return []
        return [TitleId(hit["_id"]) for hit in answer["hits"]["hits"]]


@asynccontextmanager
async def open_engine(name: str, opensearch_url: str | None) -> AsyncIterator[Engine]:
    """One of tantivy, opensearch, fts5, fts5-trigram and multi_match, empty; what it made is removed at the end."""
    if name == "tantivy":
        index = TantivyIndex(None)
        yield OurIndex(index)
        await index.aclose()
    elif name in {"fts5", "fts5-trigram"}:
        yield Fts5("trigram" if name == "fts5-trigram" else "porter unicode61 remove_diacritics 2")
    elif opensearch_url is None:
        raise ValueError(f"{name} needs the address of an OpenSearch: --opensearch URL")
    else:
        prefix = f"marquee-benchmark-{uuid.uuid4().hex[:8]}"
        client = AsyncOpenSearch(hosts=[opensearch_url], http_compress=True)
        ours = OpenSearchIndex(opensearch_url, prefix, SystemClock())
        try:
            if name == "opensearch":
                await ours.prepare()
                yield OurIndex(ours)
            else:
                yield MultiMatch(client, prefix)
        finally:
            await ours.aclose()
            await client.indices.delete(index=f"{prefix}*")
            await client.close()


def _texts(title: Title) -> tuple[str, str, str, str]:
    people = ", ".join(credit.person.display_name for credit in title.credits)
    return title.display_name, people, ", ".join(genre.display_name for genre in title.genres), title.synopsis
