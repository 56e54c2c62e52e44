"""The index on OpenSearch: one alias that everybody reads and writes through, numbered indexes behind it.

`<name>-v<fields' version>` is the alias, `<alias>-000001` … are the indexes. A rebuild makes the next number, which two
processes can't both do, fills it and moves the alias in one step of the cluster. Documents carry the title's revision
as their version, so that of two processes that write one title at once the newer state stays, whatever the order.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from opensearchpy import AsyncOpenSearch
from opensearchpy.exceptions import NotFoundError, RequestError

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.adapters.opensearch.errors import opensearch_errors
from subgraphs.titles.adapters.opensearch.fields import FIELDS_VERSION, document, index_body
from subgraphs.titles.adapters.opensearch.query import counts_body, search_body, visibility
from subgraphs.titles.domain.browsing import CatalogueScope, TitleFilter
from subgraphs.titles.domain.finding import FacetField, FieldCounts, SearchSort
from subgraphs.titles.domain.relevance import (
    TextQuestion,
    completion_question,
    people_question,
    search_entry,
    search_question,
)
from subgraphs.titles.domain.title import Title
from subgraphs.titles.ports import CatalogueState, FoundTitle, IndexBuild, SearchHits

__all__ = ["OpenSearchIndex"]

READ_TIMEOUT_S = 2.0
WRITE_TIMEOUT_S = 30.0
"""For a thousand titles on a busy node, or a change of the cluster's state."""
MAX_TITLES_PER_REQUEST = 500
"""Of a bulk request: a few megabytes, compressed."""
ABANDONED_AFTER = timedelta(seconds=60)
"""A rebuild that lives leaves a sign of it with every thousand titles, each few seconds at most."""
CONFLICT = 409


class OpenSearchIndex:
    """An index below `name` on the cluster at `url` (http or https, with user and password where it has them)."""

    def __init__(self, url: str, name: str, clock: Clock) -> None:
        self.alias = f"{name}-v{FIELDS_VERSION}"
        self.clock = clock
        # One more try: a connection that was kept may have been closed at the other end.
        self.client = AsyncOpenSearch(hosts=[url], timeout=READ_TIMEOUT_S, max_retries=1, http_compress=True)
        self._is_of_us = re.compile(rf"{re.escape(self.alias)}-\d{{6}}")
        self._revision = 0

    @property
    def revision(self) -> int:
        """Grows with every update through this object."""
        return self._revision

    async def prepare(self) -> None:
        """Make the first index when there is no alias."""
        with opensearch_errors():
            if await self.client.indices.exists_alias(name=self.alias):
                return
            body = {**index_body(self.sign_of_life(), is_serving=True), "aliases": {self.alias: {}}}
            try:
                await self.client.indices.create(
                    index=f"{self.alias}-000001", body=body, request_timeout=WRITE_TIMEOUT_S
                )
            except RequestError as error:
                # Another process was faster; anything else is wrong with the cluster or the name.
                if error.error != "resource_already_exists_exception":
                    raise

    async def check(self) -> None:
        """The alias is there and its shard answers."""
        with opensearch_errors():
            await self.client.count(index=self.alias)

    async def update(self, titles: Sequence[Title]) -> None:
        """Make the index as these titles are; a title that is there in a newer revision stays."""
        await self.write(self.alias, titles, is_alias=True)
        self._revision += 1

    async def begin_build(self) -> IndexBuild:
        """The next number, empty; what a killed rebuild left behind is deleted."""
        with opensearch_errors():
            serving = await self._serving()
            found: dict[str, Any] = await self.client.indices.get(
                index=f"{self.alias}-*", request_timeout=WRITE_TIMEOUT_S
            )
            for index_name, about in found.items():
                if index_name != serving and self._is_of_us.fullmatch(index_name):
                    self._require_abandoned(index_name, about["mappings"].get("_meta", {}))
                    await self._delete(index_name)
            name = f"{self.alias}-{int(serving.rpartition('-')[2]) + 1:06d}"
            try:
                await self.client.indices.create(
                    index=name, body=index_body(self.sign_of_life(), is_serving=False), request_timeout=WRITE_TIMEOUT_S
                )
            except RequestError as error:
                if error.error != "resource_already_exists_exception":
                    raise
                raise _being_rebuilt(name) from error
        return OpenSearchBuild(self, name, serving)

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
        question = search_question(text)
        if question is None or limit < 1:
            return SearchHits((), 0)
        visible = visibility(scope, chosen, hidden)
        for missing_count in _missing_counts(question):
            body = search_body(question, visible, limit, missing_count=missing_count, sort=sort)
            hits = await self._ask(body)
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
        question = search_question(text)
        if question is None or not fields:
            return {}
        visible = visibility(scope, chosen, hidden, of_every_kind=of_every_kind)
        for missing_count in _missing_counts(question):
            with opensearch_errors():
                answer = await self._search(counts_body(question, visible, fields, missing_count=missing_count))
            counts = {field: _counted(answer["aggregations"][field.value]) for field in fields}
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
        body = {"size": 0, "track_total_hits": True, "aggs": {"revisions": {"sum": {"field": "revision"}}}}
        with opensearch_errors():
            await self.client.indices.refresh(index=self.alias, request_timeout=WRITE_TIMEOUT_S)
            answer = await self._search(body)
        return CatalogueState(answer["hits"]["total"]["value"], round(answer["aggregations"]["revisions"]["value"]))

    async def aclose(self) -> None:
        """Close the connections."""
        await self.client.close()

    async def write(self, index_name: str, titles: Sequence[Title], *, is_alias: bool) -> None:
        """Titles in bulk requests; through the alias they are visible to searches when it returns."""
        for start in range(0, len(titles), MAX_TITLES_PER_REQUEST):
            body: list[dict[str, Any]] = []
            for title in titles[start : start + MAX_TITLES_PER_REQUEST]:
                # external_gte: the same revision again replaces itself, an older one is refused.
                place = {"_id": title.id, "version": title.revision, "version_type": "external_gte"}
                if title.is_gone:
                    body.append({"delete": place})
                else:
                    body += [{"index": place}, document(search_entry(title))]
            with opensearch_errors():
                answer = await self.client.bulk(
                    body=body,
                    index=index_name,
                    # Without it, a write to an alias that is missing would make an index of that name.
                    params={"require_alias": "true"} if is_alias else {},
                    refresh=is_alias,
                    request_timeout=WRITE_TIMEOUT_S,
                )
            _check_items(answer)

    def sign_of_life(self) -> dict[str, Any]:
        """What an index says of itself: that somebody worked on it just now."""
        return {"touched_at": self.clock.now().isoformat()}

    async def _most_popular(
        self, question: TextQuestion | None, scope: CatalogueScope, hidden: frozenset[TitleId], limit: int
    ) -> list[FoundTitle]:
        if question is None or limit < 1:
            return []
        return list((await self._ask(search_body(question, visibility(scope, TitleFilter(), hidden), limit))).hits)

    async def _ask(self, body: dict[str, Any]) -> SearchHits:
        with opensearch_errors():
            answer = await self._search(body)
        hits = answer["hits"]
        found = tuple(FoundTitle(TitleId(hit["_id"]), float(hit["_score"] or 0.0)) for hit in hits["hits"])
        return SearchHits(found, hits["total"]["value"])

    async def _search(self, body: dict[str, Any]) -> Any:
        async def ask() -> Any:
            # Half an answer is none: its pages would not be pages of one list.
            return await self.client.search(index=self.alias, body=body, allow_partial_search_results=False)

        return await _again_when_replaced(ask)

    async def _serving(self) -> str:
        """The index behind the alias."""
        [name] = await self.client.indices.get_alias(name=self.alias)
        return str(name)

    def _require_abandoned(self, index_name: str, meta: dict[str, Any]) -> None:
        touched_at = datetime.fromisoformat(meta["touched_at"])
        if self.clock.now() - touched_at < ABANDONED_AFTER:
            raise _being_rebuilt(index_name)

    async def _delete(self, index_name: str) -> None:
        try:
            await self.client.indices.delete(index=index_name, request_timeout=WRITE_TIMEOUT_S)
        except NotFoundError:
            return


class OpenSearchBuild:
    """An index that no alias leads to yet."""

    def __init__(self, owner: OpenSearchIndex, name: str, serving: str) -> None:
        self._owner = owner
        self._name = name
        self._serving = serving
        self._is_open = True

    async def update(self, titles: Sequence[Title]) -> None:
        """Make it as these titles are, and leave a sign of life."""
        await self._owner.write(self._name, titles, is_alias=False)
        with opensearch_errors():
            await self._owner.client.indices.put_mapping(
                index=self._name, body={"_meta": self._owner.sign_of_life()}, request_timeout=WRITE_TIMEOUT_S
            )

    async def publish(self) -> None:
        """Move the alias in one step, then delete the index before."""
        indices = self._owner.client.indices
        with opensearch_errors():
            await indices.put_settings(
                index=self._name, body={"index": {"refresh_interval": "1s"}}, request_timeout=WRITE_TIMEOUT_S
            )
            await indices.refresh(index=self._name, request_timeout=WRITE_TIMEOUT_S)
            move = [
                {"remove": {"index": self._serving, "alias": self._owner.alias, "must_exist": True}},
                {"add": {"index": self._name, "alias": self._owner.alias}},
            ]
            await indices.update_aliases(body={"actions": move}, request_timeout=WRITE_TIMEOUT_S)
            self._is_open = False
            await indices.delete(index=self._serving, request_timeout=WRITE_TIMEOUT_S)

    async def discard(self) -> None:
        """Delete it; after `publish` nothing happens."""
        if self._is_open:
            self._is_open = False
            with opensearch_errors():
                await self._owner.client.indices.delete(index=self._name, request_timeout=WRITE_TIMEOUT_S)


def _missing_counts(question: TextQuestion) -> tuple[int, ...]:
    return (0, 1) if len(question.required) > 1 else (0,)


def _counted(answer: dict[str, Any]) -> dict[str | int, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in answer["buckets"]}


async def _again_when_replaced(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Once more when the index was not there: a rebuild deletes the old one behind whoever was on the way to it."""
    try:
        return await ask()
    except NotFoundError:
        return await ask()


def _check_items(answer: dict[str, Any]) -> None:
    """Refused items are fine where the index has a newer revision; removing what is not there is no error at all."""
    for item in answer["items"] if answer["errors"] else ():
        [(action, outcome)] = item.items()
        if "error" in outcome and outcome["status"] != CONFLICT:
            raise ServiceError(
                ErrorKind.UNAVAILABLE,
                f"the search index refused to {action} {outcome['_id']}: {outcome['error'].get('reason')}",
            )


def _being_rebuilt(index_name: str) -> ServiceError:
    return ServiceError(
        ErrorKind.FAILED_PRECONDITION,
        f"the search index is being rebuilt as {index_name}; wait for its end, or for a minute when its process died",
    )
