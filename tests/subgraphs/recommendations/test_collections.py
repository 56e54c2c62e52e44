"""Editorial collections: who may edit them, what is refused, where they show, what an edit leaves behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId
from subgraphs.kernel.personal_data import Subject
from subgraphs.kernel.personal_tables import ERASED_OWNER, SqlPersonalData
from subgraphs.recommendations.adapters.sqlalchemy.collections import (
    PERSONAL_TABLES,
    SqlCollectionStore,
    collection_edits,
)
from subgraphs.recommendations.domain import collections as domain
from subgraphs.recommendations.services.edit_collections import EditCollections
from tests.support.devices import TV

SAVE = """mutation ($input: CollectionInput!) { saveCollection(input: $input) { __typename
  ... on SaveCollectionSuccess { collection { id heading titleIds countries opensAt closesAt } }
  ... on InvalidInput { message } ... on NotPermitted { message } } }"""
REMOVE = """mutation ($id: ID!) { removeCollection(id: $id) { __typename
  ... on RemoveCollectionSuccess { wasThere } ... on NotPermitted { message } } }"""
ALL = "{ collections { id heading titleIds } }"
PAGE = """query ($device: DeviceInput!) { page(kind: HOME, device: $device) { sections(first: 50) { edges { node {
  key kind heading items(first: 50) { edges { node { title { id } } } } } } } } }"""


@pytest.fixture
def editor(viewer: Viewer) -> Viewer:
    return replace(viewer, account_id="acc_editor", profile_id=None, scopes=frozenset({"editor"}))


def titles_in_sight(subgraph: Any, viewer: Viewer, count: int = 12) -> list[str]:
    catalogue = subgraph.models.models.catalogue
    visible = catalogue.visible(viewer, subgraph.clock.now()) & catalogue.is_listable
    return [record.id for record, may_see in zip(catalogue.records, visible, strict=True) if may_see][:count]


async def rows(subgraph: Any, viewer: Viewer | None) -> dict[str, list[str]]:
    """Titles of the rows of collections, by heading."""
    data = await subgraph.data(PAGE, {"device": TV}, viewer)
    sections = [edge["node"] for edge in data["page"]["sections"]["edges"]]
    return {
        section["heading"]: [edge["node"]["title"]["id"] for edge in section["items"]["edges"]]
        for section in sections
        if section["kind"] == "COLLECTION"
    }


async def test_a_collection_comes_and_goes(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, editor: Viewer
) -> None:
    """Saved, it is a row on the next page; changed, the row is; removed or past its time, there is none."""
    await subgraph.tell_titles(catalogue_snapshots)
    titles = titles_in_sight(subgraph, viewer)
    assert await rows(subgraph, viewer) == {}

    until = (subgraph.clock.now() + timedelta(minutes=9)).isoformat()
    values = {"heading": " Long shadows ", "titleIds": titles, "countries": ["US"], "closesAt": until}
    saved = (await subgraph.data(SAVE, {"input": values}, editor))["saveCollection"]["collection"]
    first = await rows(subgraph, viewer)
    changed = {**values, "id": saved["id"], "heading": "Longer shadows"}
    await subgraph.data(SAVE, {"input": changed}, editor)
    second = await rows(subgraph, viewer)
    subgraph.clock.advance(timedelta(minutes=10, seconds=1))
    past = await rows(subgraph, viewer)
    await subgraph.data(SAVE, {"input": {**changed, "closesAt": None}}, editor)
    open_again = await rows(subgraph, viewer)
    elsewhere = await rows(subgraph, replace(viewer, country="BR"))
    removed = (await subgraph.data(REMOVE, {"id": saved["id"]}, editor))["removeCollection"]

    assert saved["heading"] == "Long shadows"
    assert set(first["Long shadows"]) <= set(titles)
    assert first["Long shadows"] == [each for each in titles if each in first["Long shadows"]]
    assert list(second) == ["Longer shadows"]
    assert (past, elsewhere) == ({}, {})
    assert list(open_again) == ["Longer shadows"]
    assert removed["wasThere"]
    assert await rows(subgraph, viewer) == {}
    assert not (await subgraph.data(REMOVE, {"id": saved["id"]}, editor))["removeCollection"]["wasThere"]


async def test_a_collection_opens_and_closes_on_its_minute(
    subgraph: Any, catalogue_snapshots: Any, viewer: Viewer, editor: Viewer
) -> None:
    """Not when a page that was made before expires."""
    await subgraph.tell_titles(catalogue_snapshots)
    opens = subgraph.clock.now() + timedelta(minutes=1)
    values = {
        "heading": "One minute",
        "titleIds": titles_in_sight(subgraph, viewer),
        "opensAt": opens.isoformat(),
        "closesAt": (opens + timedelta(minutes=1)).isoformat(),
    }
    await subgraph.data(SAVE, {"input": values}, editor)
    seen = []
    for _ in range(4):
        seen.append(list(await rows(subgraph, viewer)))
        subgraph.clock.advance(timedelta(seconds=40))
    assert seen == [[], [], ["One minute"], []]


class SlowCollections:
    """Answers a reading with what was there when it was asked, once `answer` is set for it."""

    def __init__(self) -> None:
        self.there: list[domain.Collection] = []
        self.asked: list[asyncio.Future[None]] = []

    async def all_collections(self) -> list[domain.Collection]:
        found, answered = list(self.there), asyncio.get_running_loop().create_future()
        self.asked.append(answered)
        await answered
        return found

    async def save(self, collection: domain.Collection, _account_id: str, _now: datetime) -> bool:
        self.there = [collection]
        return True


async def test_an_edit_during_a_reading_is_on_pages_at_once(editor: Viewer) -> None:
    """What the reading brings is from before."""
    store, now = SlowCollections(), datetime(2026, 3, 1, tzinfo=UTC)
    service = EditCollections(store)  # type: ignore[arg-type]  # only what is asked of it here
    reading = asyncio.create_task(service.for_pages(now))
    await asyncio.sleep(0)
    await service.save(editor, domain.Collection("col_1", "A row", ("mov_1",)), now)
    for _ in range(2):
        store.asked[-1].set_result(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert [each.heading for each in (await reading).collections] == ["A row"]
    assert [each.heading for each in (await service.for_pages(now)).collections] == ["A row"]


async def test_two_states_never_have_one_version() -> None:
    """Also when both were read before either was known, as others edit."""
    store, now = SlowCollections(), datetime(2026, 3, 1, tzinfo=UTC)
    service = EditCollections(store)  # type: ignore[arg-type]  # only what is asked of it here
    readings = []
    for heading in ("One", "Two"):
        store.there = [domain.Collection("col_1", heading, ("mov_1",))]
        readings.append(asyncio.create_task(service.for_pages(now)))
        await asyncio.sleep(0)
    for answered in store.asked:
        answered.set_result(None)
    one, two = await asyncio.gather(*readings)
    assert one.collections != two.collections
    assert one.version_at(now) != two.version_at(now)


async def test_only_editors_edit(subgraph: Any, viewer: Viewer, editor: Viewer) -> None:
    """Others are told what they lack, and see no list; the studio may too."""
    values = {"input": {"heading": "A row", "titleIds": ["mov_000"]}}
    for other in (None, viewer):
        assert (await subgraph.data(SAVE, values, other))["saveCollection"]["__typename"] == "NotPermitted"
        told = (await subgraph.data(REMOVE, {"id": "col_x"}, other))["removeCollection"]
        assert "scope editor or studio" in told["message"]
        assert (await subgraph.ask(ALL, None, other))["errors"][0]["extensions"]["code"] == "PERMISSION_DENIED"

    studio = replace(editor, scopes=frozenset({"studio"}))
    assert (await subgraph.data(SAVE, values, studio))["saveCollection"]["__typename"] == "SaveCollectionSuccess"
    assert [each["heading"] for each in (await subgraph.data(ALL, None, editor))["collections"]] == ["A row"]


BAD = [
    ({"heading": "  "}, "heading has 0 characters"),
    ({"heading": "x" * 61}, "heading has 61 characters"),
    ({"titleIds": []}, "titleIds has 0 titles"),
    ({"titleIds": [f"mov_{number}" for number in range(61)]}, "titleIds has 61 titles"),
    ({"titleIds": ["mov_1", "mov_1"]}, "'mov_1' twice"),
    ({"countries": ["usa"]}, "countries names 'usa'"),
    ({"countries": [f"A{chr(65 + number % 26)}{number}" for number in range(61)]}, "countries has 61 entries"),
    ({"id": "x" * 65}, "id has 65 characters"),
    ({"opensAt": "2026-03-02T00:00:00Z", "closesAt": "2026-03-01T00:00:00Z"}, "closesAt is 2026-03-01"),
    ({"opensAt": "2026-03-02T00:00:00"}, "names no time zone"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
async def test_what_is_wrong_is_named(subgraph: Any, editor: Viewer, change: dict[str, Any], words: str) -> None:
    """The field, the value, what is wanted; nothing is kept."""
    values = {"input": {"heading": "A row", "titleIds": ["mov_000"], **change}}

    told = (await subgraph.data(SAVE, values, editor))["saveCollection"]

    assert told["__typename"] == "InvalidInput"
    assert words in told["message"]
    assert (await subgraph.data(ALL, None, editor))["collections"] == []


async def test_there_is_a_most(subgraph: Any, editor: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is refused; those that are there can still be changed."""
    monkeypatch.setattr("subgraphs.recommendations.adapters.sqlalchemy.collections.MAX_COLLECTIONS", 1)
    values = {"heading": "A row", "titleIds": ["mov_000"], "id": "col_1"}
    await subgraph.data(SAVE, {"input": values}, editor)

    again = await subgraph.data(SAVE, {"input": {**values, "heading": "The row"}}, editor)
    more = await subgraph.data(SAVE, {"input": {**values, "id": "col_2"}}, editor)

    assert again["saveCollection"]["__typename"] == "SaveCollectionSuccess"
    assert more["saveCollection"]["__typename"] == "InvalidInput"


async def test_an_edit_is_known_and_its_editor_can_be_forgotten(subgraph: Any, editor: Viewer) -> None:
    """Who, when, before and after; an erasure leaves what was done."""
    values = {"input": {"heading": "A row", "titleIds": ["mov_000"], "id": "col_1"}}
    await subgraph.data(SAVE, values, editor)
    await subgraph.data(REMOVE, {"id": "col_1"}, editor)
    engine: AsyncEngine = subgraph.models._titles._engine
    personal = SqlPersonalData(engine, PERSONAL_TABLES)
    subject = Subject(account_id=AccountId("acc_editor"))

    exported = (await personal.export_personal(subject))["table:collection_edits"]
    await personal.erase_personal(subject)
    async with engine.connect() as connection:
        kept = (await connection.execute(select(collection_edits).order_by(collection_edits.c.at))).all()

    assert [(row["collection_id"], "before" in row) for row in exported] == [("col_1", False)] * 2
    assert {row.account_id for row in kept} == {ERASED_OWNER}
    assert sorted((row.before is None, row.after is None) for row in kept) == [(False, True), (True, False)]
    assert await SqlCollectionStore(engine).all_collections() == []


def test_a_collection_is_open_from_its_first_instant_to_before_its_last() -> None:
    """As windows are; without countries it is open everywhere."""
    opens = datetime(2026, 3, 1, tzinfo=UTC)
    closes = opens + timedelta(days=1)
    collection = domain.Collection("col_1", "A row", ("mov_1",), frozenset(), opens, closes)
    instants = [opens - timedelta(microseconds=1), opens, closes - timedelta(microseconds=1), closes]

    assert [collection.is_open(None, instant) for instant in instants] == [False, True, True, False]
    assert not replace(collection, countries=frozenset({"US"})).is_open("DE", opens)
