"""The search index's port on tantivy, in a folder of its own.

`<folder>/v<fields' version>/` holds one folder per generation of the index and the file `current` with the name of the
one that serves. A rebuild fills a new generation beside it and changes that file, whole or not at all; what a killed
rebuild left behind, and what older programs with other fields wrote, is removed at the next start. What is in an index
comes from the title store and can always be made again. One thread writes; searches of what the last commit left run
where they are asked, or, those that may take long, in threads of the pool with the lock of the interpreter released.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tantivy import (
    DocAddress,
    Document,
    Filter,
    Index,
    Occur,
    Order,
    Query,
    Schema,
    SchemaBuilder,
    Searcher,
    TextAnalyzer,
    TextAnalyzerBuilder,
    Tokenizer,
)

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import TitleId
from subgraphs.kernel.policy import EVERYWHERE
from subgraphs.titles.adapters.near_terms import NearTerms
from subgraphs.titles.adapters.tantivy_query import (
    FEW_LETTERS,
    NAME_FIELDS,
    STARTS_FIELDS,
    WORD_FIELDS,
    TextQueries,
    VisibleQueries,
)
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.finding import MAX_VALUES, FacetField, FieldCounts, SearchSort, name_rank
from subgraphs.titles.domain.relevance import (
    COMPLETION_WEIGHT,
    TIE_BREAK_WEIGHT,
    SearchEntry,
    TextQuestion,
    completion_question,
    people_question,
    search_entry,
    search_question,
)
from subgraphs.titles.domain.title import Title
from subgraphs.titles.ports import CatalogueState, FoundTitle, IndexBuild, SearchHits

__all__ = ["FIELDS_VERSION", "SearchIndexUnavailable", "TantivyIndex"]

ResultT = TypeVar("ResultT")

FIELDS_VERSION = 5
POPULARITY_STEPS = (1 << 32) - 1
"""Popularity as a whole number: a billionth is finer than anything that it is made from."""
WRITER_HEAP_BYTES = 128_000_000
"""A rebuild may take this much before it writes a segment; updates take a small part of it."""
CURRENT = "current"
SMALL = 100_000
"""Documents: of half as many a search takes 0.4 ms on average, and the longest one 7 ms."""


class SearchIndexUnavailable(Exception):
    """The index's folder can't be opened."""


class _View:
    """An index as one commit left it: what a search asks, whatever is written meanwhile."""

    def __init__(self, searcher: Searcher, queries: TextQueries) -> None:
        self.searcher = searcher
        self.queries = queries
        self.is_small = searcher.num_docs <= SMALL
        self._ids: dict[int, TitleId] = {}
        """By place, of those that were found already: reading a document costs many times more."""

    def title_id(self, address: DocAddress) -> TitleId:
        """Which title lies there."""
        place = address.segment_ord << 32 | address.doc
        title_id = self._ids.get(place)
        if title_id is None:
            title_id = self._ids[place] = TitleId(self.searcher.doc(address)["id"][0])
        return title_id


class _Generation:
    """One index on disk or in memory with its writer; methods that write are called by one thread only."""

    def __init__(self, schema: Schema, stems: TextAnalyzer, folder: Path | None) -> None:
        self.folder = folder
        self._schema = schema
        self._stems = stems
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            self.index = Index(schema, path=None if folder is None else str(folder))
            self.index.register_tokenizer("words", _analyzer())
            self.index.register_tokenizer("stems", stems)
            self._writer = self.index.writer(WRITER_HEAP_BYTES, 1)
        except (ValueError, OSError) as error:
            raise SearchIndexUnavailable(
                f"the search index in {folder} can't be opened: {error}. If another titles process runs, stop it; "
                "else remove the folder, it is rebuilt from the catalogue"
            ) from error
        self.index.config_reader("manual")
        self.index.reload()
        self._added: dict[str, set[str]] = {field: set() for field in (*WORD_FIELDS, *NAME_FIELDS)}
        searcher = self.index.searcher()
        there = {field: [term for term, _ in searcher.terms_with_prefix(field, "")] for field in self._added}
        self._words = NearTerms(WORD_FIELDS).with_terms(there)
        self._names = NearTerms(NAME_FIELDS).with_terms(there)
        self._queries = TextQueries(schema, stems, self._words, self._names)
        self.view = _View(searcher, self._queries)

    def add(self, titles: Sequence[Title]) -> None:
        """Searches see it after `commit`."""
        for title in titles:
            self._writer.delete_documents_by_term("id", title.id)
            if not title.is_gone:
                entry = search_entry(title)
                self._writer.add_document(_document(entry))
                for field, texts in (("name", (entry.name,)), ("people", entry.people), ("genres", entry.genres)):
                    self._added[field].update(word for text in texts for word in text.split())
                self._added["name_key"].add(entry.name_key)
                self._added["bare_name_key"].add(entry.bare_name_key)

    def commit(self) -> None:
        self._writer.commit()
        self.index.reload()
        words, names = self._words.with_terms(self._added), self._names.with_terms(self._added)
        if words is not self._words or names is not self._names:
            self._words, self._names = words, names
            self._queries = TextQueries(self._schema, self._stems, words, names)
        for terms in self._added.values():
            terms.clear()
        self.view = _View(self.index.searcher(), self._queries)

    def close(self) -> None:
        """Wait for the writer's threads and let go of the folder's lock."""
        self._writer.wait_merging_threads()

    def remove(self) -> None:
        self.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class TantivyIndex:
    """An index in `folder` (None: in memory, for tests)."""

    def __init__(self, folder: Path | None) -> None:
        self._schema = _schema()
        self._stems = _analyzer(stemmed=True)
        self._visible = VisibleQueries(self._schema)
        self._folder = None if folder is None else folder / f"v{FIELDS_VERSION}"
        self._serving = self._open_serving()
        self._build: TantivyBuild | None = None
        # One thread for all that writes: a cancelled caller leaves its write running, and the next one must wait for
        # it.
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="titles-index")
        self._revision = 0
        if folder is not None:
            self._remove_leftovers(folder)

    @property
    def revision(self) -> int:
        """Grows with every update."""
        return self._revision

    async def prepare(self) -> None:
        """The folder was opened already."""

    async def check(self) -> None:
        """It is in this process, and answers."""

    async def update(self, titles: Sequence[Title]) -> None:
        """Make the index as these titles are; visible to searches when it returns."""
        await self.write(lambda: self._update(titles))
        self._revision += 1

    async def begin_build(self) -> IndexBuild:
        """An empty generation beside the one that serves."""
        if self._build is not None:
            raise ServiceError(
                ErrorKind.FAILED_PRECONDITION, "the search index is being rebuilt already; wait for its end"
            )
        self._build = TantivyBuild(self, _Generation(self._schema, self._stems, self._next_folder()))
        return self._build

    async def search(
        self,
        text: str,
        scope: CatalogueScope,
        chosen: TitleFilter,
        hidden: frozenset[TitleId],
        limit: int,
        *,
        sort: SearchSort = SearchSort.RELEVANCE,
    ) -> SearchHits:
        """The first `limit` hits; when not every part is found in one title, titles with all parts but one."""
        view = self._serving.view
        visible = self._visible.of(scope, chosen, hidden)
        for query in _questions(view, text) if limit > 0 else ():
            hits = await _answer(view, partial(_run, view, _visible(query, visible), limit, sort))
            if hits.total_count:
                return hits
        return SearchHits((), 0)

    async def count_values(
        self,
        text: str,
        scope: CatalogueScope,
        chosen: TitleFilter,
        hidden: frozenset[TitleId],
        fields: Sequence[FacetField],
        *,
        of_every_kind: bool,
    ) -> FieldCounts:
        """Values of all hits of the same search."""
        visible = self._visible.of(scope, chosen, hidden, of_every_kind=of_every_kind)
        view = self._serving.view
        for query in _questions(view, text) if fields else ():
            counts = await asyncio.to_thread(_count, view, _visible(query, visible), fields)
            if any(counts.values()):
                return counts
        return {}

    async def complete(
        self, text: str, scope: CatalogueScope, hidden: frozenset[TitleId], limit: int
    ) -> list[FoundTitle]:
        """Titles whose names go on as `text` begins."""
        return await self._most_popular(completion_question(text), scope, hidden, limit)

    async def with_people(
        self, text: str, scope: CatalogueScope, hidden: frozenset[TitleId], limit: int, *, edits: int
    ) -> list[FoundTitle]:
        """Titles with people whose names go on so."""
        return await self._most_popular(people_question(text, edits), scope, hidden, limit)

    async def state(self) -> CatalogueState:
        """What is indexed."""
        return await self.write(self._state)

    async def aclose(self) -> None:
        """Wait for the writer's threads and let go of the folder's lock."""
        if self._build is not None:
            await self._build.discard()
        await self.write(self._serving.close)
        self._writing.shutdown()

    async def write(self, work: Callable[[], ResultT]) -> ResultT:
        """Run in the thread that writes, after what waits there already."""
        return await asyncio.get_running_loop().run_in_executor(self._writing, work)

    def publish(self, generation: _Generation) -> None:
        """Let searches find it, and remove the one before; in the thread that writes.

        Committed once, a rebuilt index has few segments, each of which costs every search its share.
        """
        generation.commit()
        if self._folder is not None and generation.folder is not None:
            _point_to(self._folder, generation.folder.name)
        before, self._serving = self._serving, generation
        self._revision += 1
        # Searches that run keep its files open until they end.
        before.remove()

    def end_build(self) -> None:
        """Another one may begin."""
        self._build = None

    def _update(self, titles: Sequence[Title]) -> None:
        self._serving.add(titles)
        self._serving.commit()

    async def _most_popular(
        self, question: TextQuestion | None, scope: CatalogueScope, hidden: frozenset[TitleId], limit: int
    ) -> list[FoundTitle]:
        if question is None or limit < 1:
            return []
        view = self._serving.view
        query = _visible(view.queries.of(question), self._visible.of(scope, TitleFilter(), hidden))
        return list((await _answer(view, partial(_run, view, query, limit, None))).hits)

    def _state(self) -> CatalogueState:
        searcher = self._serving.view.searcher
        sums = searcher.aggregate(Query.all_query(), {"revisions": {"sum": {"field": "revision"}}})
        return CatalogueState(searcher.num_docs, round(sums["revisions"]["value"] or 0))

    def _open_serving(self) -> _Generation:
        if self._folder is None:
            return _Generation(self._schema, self._stems, None)
        pointer = self._folder / CURRENT
        if pointer.is_file():
            return _Generation(self._schema, self._stems, self._folder / pointer.read_text("utf-8").strip())
        first = _Generation(self._schema, self._stems, self._folder / _generation_name(1))
        _point_to(self._folder, _generation_name(1))
        return first

    def _next_folder(self) -> Path | None:
        if self._folder is None or self._serving.folder is None:
            return None
        return self._folder / _generation_name(int(self._serving.folder.name) + 1)

    def _remove_leftovers(self, root: Path) -> None:
        """Half-made generations and other versions' indexes; the writer's lock says that nobody else is here."""
        serving = self._serving.folder
        for folder in (*root.iterdir(), *(self._folder or root).iterdir()):
            if folder.is_dir() and folder not in {self._folder, serving}:
                shutil.rmtree(folder, ignore_errors=True)


class TantivyBuild:
    """A generation in the making."""

    def __init__(self, owner: TantivyIndex, generation: _Generation) -> None:
        self._owner = owner
        self._generation = generation
        self._is_open = True

    async def update(self, titles: Sequence[Title]) -> None:
        """Make it as these titles are; searches do not see it."""
        await self._owner.write(lambda: self._generation.add(titles))

    async def publish(self) -> None:
        """Searches find it from now on, and the one before is gone."""
        self._is_open = False
        self._owner.end_build()
        await self._owner.write(lambda: self._owner.publish(self._generation))

    async def discard(self) -> None:
        """Forget it; after `publish` nothing happens."""
        if self._is_open:
            self._is_open = False
            self._owner.end_build()
            await self._owner.write(self._generation.remove)


def _questions(view: _View, text: str) -> Iterator[Query]:
    """What to ask, one after the other, until something is found."""
    question = search_question(text)
    if question is None:
        return
    for missing_count in (0, 1) if len(question.required) > 1 else (0,):
        yield view.queries.of(question, missing_count=missing_count)


async def _answer(view: _View, ask: Callable[[], SearchHits]) -> SearchHits:
    """Here, which saves a tenth of a millisecond and a wait for the interpreter; in a thread if it may take long."""
    return ask() if view.is_small else await asyncio.to_thread(ask)


def _run(view: _View, query: Query, limit: int, sort: SearchSort | None) -> SearchHits:
    """In this order; None is the order of completions."""
    searcher = view.searcher
    if sort in _RANKS:
        field, order = _RANKS[sort]
        found = searcher.search(query, limit=limit, order_by_field=field, order=order)
        hits = _in_order([(searcher.doc(address), rank) for rank, address in found.hits], sort)
    else:
        weight = "completion_weight" if sort is None else "tie_break"
        found = searcher.search(query, limit=limit, weight_by_field=weight)
        hits = [FoundTitle(view.title_id(address), score) for score, address in found.hits]
        # Equal scores come in an order that merges of segments may change: by id they come in the same order for ever.
        hits.sort(key=lambda hit: (-hit.score, hit.title_id))
    # The package's stubs leave `count` out.
    total_count: int = found.count  # type: ignore[attr-defined]
    return SearchHits(tuple(hits), total_count)


def _count(view: _View, query: Query, fields: Sequence[FacetField]) -> FieldCounts:
    asked = {field.value: {"terms": {"field": field.value, "size": MAX_VALUES}} for field in fields}
    answer = view.searcher.aggregate(query, asked)
    return {
        field: {bucket["key"]: bucket["doc_count"] for bucket in answer[field.value]["buckets"]} for field in fields
    }


_RANKS: Mapping[SearchSort | None, tuple[str, Order]] = {
    SearchSort.RELEASE_YEAR: ("year_rank", Order.Desc),
    SearchSort.NAME: ("name_rank", Order.Asc),
    SearchSort.POPULARITY: ("popularity_rank", Order.Desc),
}


def _in_order(found: Sequence[tuple[Document, Any]], sort: SearchSort | None) -> list[FoundTitle]:
    """The same order, to the last letter and id."""
    if sort is SearchSort.NAME:
        documents = sorted((document["sort_name"][0], document["id"][0]) for document, _ in found)
    else:
        documents = sorted((-rank, document["id"][0]) for document, rank in found)
    return [FoundTitle(TitleId(title_id), 0.0) for _, title_id in documents]


def _visible(query: Query, visible: Sequence[tuple[Occur, Query]]) -> Query:
    return Query.boolean_query([(Occur.Must, query), *visible])


def _generation_name(number: int) -> str:
    return f"{number:06d}"


def _point_to(folder: Path, name: str) -> None:
    new = folder / f"{CURRENT}.new"
    new.write_text(name, "utf-8")
    new.replace(folder / CURRENT)


def _document(entry: SearchEntry) -> Document:
    document = Document()
    texts: dict[str, Sequence[str]] = {
        "id": (entry.id,),
        "kind": (entry.kind,),
        "name": (entry.name,),
        "name_stems": (entry.name,),
        "name_pairs": (entry.name_pairs,),
        "name_key": (entry.name_key,),
        "bare_name_key": (entry.bare_name_key,),
        "sort_name": (entry.sort_name,),
        "people": entry.people,
        "genres": entry.genres,
        "synopsis": entry.synopsis,
        "genre_ids": entry.genre_ids,
        "window_countries": entry.window_countries,
        "blocked_countries": entry.blocked_countries,
        "original_language": (entry.original_language,),
        "origin_country": (entry.origin_country,),
        "duration_band": (entry.duration_band,),
    }
    for field, values in texts.items():
        for value in values:
            document.add_text(field, value)
    for field, starts_field in STARTS_FIELDS.items():
        document.add_text(starts_field, _starts(word for value in texts[field] for word in value.split()))
    document.add_unsigned("revision", entry.revision)
    document.add_unsigned("release_year", entry.release_year)
    document.add_unsigned("minimum_age", entry.minimum_age)
    document.add_unsigned("is_kids", int(entry.is_kids))
    document.add_unsigned("is_blocked", int(bool(entry.blocked_countries)))
    document.add_unsigned("is_limited", int(EVERYWHERE not in entry.window_countries))
    popularity_rank = round(entry.popularity * POPULARITY_STEPS)
    document.add_unsigned("popularity_rank", popularity_rank)
    # Of one year, the more popular one first.
    document.add_unsigned("year_rank", entry.release_year * (POPULARITY_STEPS + 1) + popularity_rank)
    document.add_unsigned("name_rank", name_rank(entry.sort_name))
    document.add_float("tie_break", entry.popularity * TIE_BREAK_WEIGHT)
    document.add_float("completion_weight", entry.popularity * COMPLETION_WEIGHT)
    return document


def _starts(words: Iterable[str]) -> str:
    """What these words begin with, up to a few letters."""
    return " ".join(dict.fromkeys(word[:length] for word in words for length in range(1, FEW_LETTERS + 1)))


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    # Compared as a whole; those of facets are counted, too.
    for exact in ("kind", "genre_ids", "original_language", "origin_country", "duration_band"):
        builder.add_text_field(exact, tokenizer_name="raw", index_option="basic", fast=True)
    for exact in ("name_key", "bare_name_key", "window_countries", "blocked_countries"):
        builder.add_text_field(exact, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("sort_name", stored=True, tokenizer_name="raw", index_option="basic")
    for text in ("name", "name_pairs", "people", "genres"):
        builder.add_text_field(text, tokenizer_name="words", index_option="freq")
    for field in STARTS_FIELDS.values():
        builder.add_text_field(field, tokenizer_name="words", index_option="basic")
    for text in ("name_stems", "synopsis"):
        builder.add_text_field(text, tokenizer_name="stems", index_option="freq")
    for number in ("revision", "release_year", "minimum_age"):
        builder.add_unsigned_field(number, indexed=True, fast=True)
    for flag in ("is_kids", "is_blocked", "is_limited"):
        builder.add_unsigned_field(flag, indexed=True)
    for rank in ("popularity_rank", "year_rank", "name_rank"):
        builder.add_unsigned_field(rank, fast=True)
    # The engine multiplies a score by log2(2 + weight).
    for weight in ("tie_break", "completion_weight"):
        builder.add_float_field(weight, fast=True)
    return builder.build()


def _analyzer(*, stemmed: bool = False) -> TextAnalyzer:
    # Words are made by `domain.relevance`, for every engine alike.
    builder = TextAnalyzerBuilder(Tokenizer.whitespace())
    return (builder.filter(Filter.stemmer("english")) if stemmed else builder).build()
