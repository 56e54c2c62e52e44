"""The search index's port on tantivy, in a folder of its own.

The folder's name carries the version of the fields, so that a program with other fields starts a new index beside it
instead of misreading the old one; what is in it comes from the title store and can always be made again. One thread
writes, searches run in threads of the pool with the lock of the interpreter released.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tantivy import (
    Document,
    Filter,
    Index,
    Occur,
    Query,
    Schema,
    SchemaBuilder,
    TextAnalyzer,
    TextAnalyzerBuilder,
    Tokenizer,
)

from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.search_query import analyze, completion_query, text_query, visible_query
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.title import CreditRole, Title
from subgraphs.titles.ports import FoundTitle, SearchHits

__all__ = ["FIELDS_VERSION", "SearchIndexUnavailable", "TantivyIndex"]

FIELDS_VERSION = 1
WRITER_HEAP_BYTES = 32_000_000
MAX_WORD_LENGTH = 40
TIE_BREAK_WEIGHT = 0.25
"""tantivy multiplies a score by log2(2 + weight): popularity can add at most a sixth, enough to order near ties."""
COMPLETION_WEIGHT = 6.0
"""What is completed is mostly what is popular: three times the score at most."""


class SearchIndexUnavailable(Exception):
    """The index's folder can't be opened."""


class TantivyIndex:
    """An index in `folder` (None: in memory, for tests)."""

    def __init__(self, folder: Path | None) -> None:
        self._schema = _schema()
        self._words = _analyzer()
        self._stems = _analyzer(stemmed=True)
        try:
            if folder is not None:
                folder = folder / f"v{FIELDS_VERSION}"
                folder.mkdir(parents=True, exist_ok=True)
            self._index = Index(self._schema, path=None if folder is None else str(folder))
            self._index.register_tokenizer("words", self._words)
            self._index.register_tokenizer("stems", self._stems)
            self._writer = self._index.writer(WRITER_HEAP_BYTES, 1)
        except (ValueError, OSError) as error:
            raise SearchIndexUnavailable(
                f"the search index in {folder} can't be opened: {error}. If another titles process runs, stop it; "
                "else remove the folder, it is rebuilt from the catalogue"
            ) from error
        self._index.config_reader("manual")
        self._index.reload()
        # One thread for all that writes: a cancelled caller leaves its write running, and the next one must wait for
        # it.
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="titles-index")
        self._revision = 0

    @property
    def revision(self) -> int:
        """Grows with every update."""
        return self._revision

    async def update(self, titles: Sequence[Title], removed: Sequence[TitleId]) -> None:
        """Replace and remove; visible to searches when it returns."""
        await self._write(self._update, titles, removed)

    async def clear(self) -> None:
        """Remove everything."""
        await self._write(self._clear)

    async def search(
        self, text: str, scope: CatalogueScope, chosen: TitleFilter, hidden: frozenset[TitleId], limit: int
    ) -> SearchHits:
        """The best `limit` hits; when not every word is found in one title, titles with all words but one."""
        words, stems = analyze(self._words, text), analyze(self._stems, text)
        if not words or limit < 1:
            return SearchHits((), 0)
        visible = visible_query(self._schema, scope, chosen, hidden)
        return await asyncio.to_thread(self._search, words, stems, visible, limit)

    async def complete(
        self, text: str, scope: CatalogueScope, hidden: frozenset[TitleId], limit: int
    ) -> list[FoundTitle]:
        """Titles whose names go on as `text` begins."""
        words = analyze(self._words, text)
        if not words or limit < 1:
            return []
        query = completion_query(self._schema, words, " ".join(words))
        visible = visible_query(self._schema, scope, TitleFilter(), hidden)
        hits = await asyncio.to_thread(
            self._run, Query.boolean_query([(Occur.Must, query), *visible]), limit, "completion_weight"
        )
        return list(hits.hits)

    async def count(self) -> int:
        """How many titles are indexed."""
        return self._index.searcher().num_docs

    async def aclose(self) -> None:
        """Wait for the writer's threads and let go of the folder's lock."""
        await self._write(self._writer.wait_merging_threads)
        self._writing.shutdown()

    async def _write(self, work: Callable[..., None], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writing, work, *arguments)

    def _clear(self) -> None:
        self._writer.delete_all_documents()
        self._commit()

    def _commit(self) -> None:
        self._writer.commit()
        self._index.reload()
        self._revision += 1

    def _update(self, titles: Sequence[Title], removed: Sequence[TitleId]) -> None:
        for title_id in [*(title.id for title in titles), *removed]:
            self._writer.delete_documents_by_term("id", title_id)
        for title in titles:
            self._writer.add_document(self._document(title))
        self._commit()

    def _document(self, title: Title) -> Document:
        has_times = any(window.opens_at is not None or window.closes_at is not None for window in title.windows)
        flags = (["timed"] if has_times else []) + (["blocked"] if title.blocked_countries else [])
        document = Document()
        texts: dict[str, Sequence[str]] = {
            "id": [title.id],
            "kind": [title.kind.value],
            "name": [title.display_name],
            "name_key": [" ".join(analyze(self._words, title.display_name))],
            "cast": title.credited(CreditRole.CAST),
            "directors": title.credited(CreditRole.DIRECTOR),
            "genres": [genre.display_name for genre in title.genres],
            "genre_ids": [genre.id for genre in title.genres],
            # Characters weigh like words of the synopsis: "irma vep" should find her series, not beat a film so named.
            "synopsis": [title.synopsis, *(credit.character for credit in title.credits if credit.character)],
            "window_countries": sorted({window.country for window in title.windows}),
            "blocked_countries": sorted(title.blocked_countries),
            "flags": flags,
        }
        for field, values in texts.items():
            for value in values:
                document.add_text(field, value)
        document.add_unsigned("release_year", title.release_year or 0)
        document.add_unsigned("minimum_age", title.minimum_age)
        document.add_unsigned("is_kids", int(title.is_kids))
        document.add_float("tie_break", title.popularity * TIE_BREAK_WEIGHT)
        document.add_float("completion_weight", title.popularity * COMPLETION_WEIGHT)
        return document

    def _search(self, words: list[str], stems: list[str], visible: list[tuple[Occur, Query]], limit: int) -> SearchHits:
        for missing in (0, 1) if len(words) > 1 else (0,):
            query = text_query(self._schema, words, stems, " ".join(words), missing=missing)
            hits = self._run(Query.boolean_query([(Occur.Must, query), *visible]), limit, "tie_break")
            if hits.total_count:
                return hits
        return SearchHits((), 0)

    def _run(self, query: Query, limit: int, weight_field: str) -> SearchHits:
        searcher = self._index.searcher()
        found = searcher.search(query, limit=limit, weight_by_field=weight_field)
        hits = [FoundTitle(TitleId(searcher.doc(address)["id"][0]), float(score)) for score, address in found.hits]
        # Equal scores come in an order that merges of segments may change: by id they come in the same order for ever.
        hits.sort(key=lambda hit: (-hit.score, hit.title_id))
        # The package's stubs leave `count` out.
        total_count: int = found.count  # type: ignore[attr-defined]
        return SearchHits(tuple(hits), total_count)


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for exact in ("kind", "name_key", "genre_ids", "window_countries", "blocked_countries", "flags"):
        builder.add_text_field(exact, tokenizer_name="raw", index_option="basic")
    for text in ("name", "cast", "directors", "genres"):
        builder.add_text_field(text, tokenizer_name="words", index_option="position")
    builder.add_text_field("synopsis", tokenizer_name="stems", index_option="freq")
    for number in ("release_year", "minimum_age", "is_kids"):
        builder.add_unsigned_field(number, indexed=True, fast=True)
    for weight in ("tie_break", "completion_weight"):
        builder.add_float_field(weight, fast=True)
    return builder.build()


def _analyzer(*, stemmed: bool = False) -> TextAnalyzer:
    builder = (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(MAX_WORD_LENGTH))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
    )
    return (builder.filter(Filter.stemmer("english")) if stemmed else builder).build()
