"""What titles are about is learned by a process of its own; serving takes it over, and places new titles in it."""

from __future__ import annotations

import asyncio
import gc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np
import pytest
from redis.asyncio import Redis

from common.clock import FakeClock
from common.errors import ServiceError
from subgraphs.kernel.readiness import StillPreparing
from subgraphs.recommendations import trainer
from subgraphs.recommendations.adapters.object_models import ObjectContentStore, ObjectModelStore, open_model_objects
from subgraphs.recommendations.adapters.valkey.model_choice import ValkeyModelChoice
from subgraphs.recommendations.domain.catalogue import build_catalogue
from subgraphs.recommendations.domain.taste import Taste, read_signals
from subgraphs.recommendations.domain.titles import TitleRecord, record_from_snapshot
from subgraphs.recommendations.models.archive import ModelUnreadable
from subgraphs.recommendations.models.content import build_content, place
from subgraphs.recommendations.models.content_record import read_content, take_over, write_content
from subgraphs.recommendations.services import keep_models
from subgraphs.recommendations.services.follow_content import FollowContent
from subgraphs.recommendations.services.keep_models import KeepModels
from subgraphs.recommendations.services.train_models import TrainModels

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


class Titles:
    """The store of titles, in memory."""

    def __init__(self, records: list[TitleRecord]) -> None:
        self.records = records

    async def load(self) -> list[TitleRecord]:
        return self.records


class Nobody:
    """No tastes."""

    async def all_tastes(self) -> Any:
        return
        yield


@pytest.fixture
def records(catalogue_snapshots: list[dict[str, Any]]) -> list[TitleRecord]:
    return sorted(map(record_from_snapshot, catalogue_snapshots), key=lambda record: record.id)


@pytest.fixture
def contents(tmp_path: Path) -> ObjectContentStore:
    return ObjectContentStore(open_model_objects("", tmp_path / "models"))


class Served:
    """Models that keep up, and what learns content for them when it is asked."""

    def __init__(self, records: list[TitleRecord], redis: Redis, contents: ObjectContentStore) -> None:
        self.titles = Titles(records)
        self.clock = FakeClock(NOW)
        self.models = KeepModels(self.titles, Nobody(), self.clock)  # type: ignore[arg-type]
        self.learned = 0
        choice = ValkeyModelChoice(redis)
        self._trainer = TrainModels(
            titles=self.titles,  # type: ignore[arg-type]
            tastes=Nobody(),  # type: ignore[arg-type]
            store=ObjectModelStore(contents._store),
            contents=contents,
            choice=choice,
            clock=self.clock,
        )
        self.follow = FollowContent(self.models, contents, choice, self._learn, self.clock)

    async def _learn(self) -> None:
        self.learned += 1
        await self._trainer.learn_content()

    async def change(self, records: list[TitleRecord]) -> None:
        self.titles.records = [*self.titles.records, *records]
        self.models.change(records)
        await self.models.rebuild()


@pytest.fixture
async def served(
    records: list[TitleRecord], redis: Redis, contents: ObjectContentStore, monkeypatch: pytest.MonkeyPatch
) -> Served:
    """A catalogue that is too large to learn while serving, loaded, with nothing learned yet."""
    monkeypatch.setattr(keep_models, "LEARNED_HERE", 20)
    made = Served(records[:100], redis, contents)
    await made.follow.load()
    await made.models.load()
    return made


def test_bytes_hold_the_content(records: list[TitleRecord], make_snapshot: Any) -> None:
    """Titles that say the same are as they were, to half precision; others are placed in the same space."""
    records = records[:60]
    content = build_content(records)
    stored = read_content(write_content(records, content))
    changed = record_from_snapshot(make_snapshot(records[3].id, synopsis="vampire castle shadow curse"))
    new = record_from_snapshot(make_snapshot("mov_new", synopsis="rocket planet machine inventor"))

    found = take_over(stored, [new, *records[:3], changed, *records[4:50]])

    np.testing.assert_allclose(
        found.vectors[[1, 2, 3, *range(5, 51)]], content.vectors[[0, 1, 2, *range(4, 50)]], atol=2e-3
    )
    np.testing.assert_array_equal(found.tokens[[1, 2]].toarray(), content.tokens[[0, 1]].toarray())
    np.testing.assert_allclose(found.vectors[[0, 4]], place(content.space, [new, changed]).vectors, atol=5e-3)
    assert stored.content.space.columns == content.space.columns
    assert stored.content.space.title_count == len(records)


@pytest.mark.parametrize("cut", [0, 10, 2_000])
def test_other_bytes_are_refused(records: list[TitleRecord], cut: int) -> None:
    with pytest.raises(ModelUnreadable):
        read_content(write_content(records[:20], build_content(records[:20]))[:cut])


async def test_a_large_catalogue_is_learned_elsewhere(served: Served) -> None:
    """Pages are there before; afterwards titles have their kin, without a word learned in this process."""
    assert not served.models.models.content.vectors.any()
    assert served.models.needs_content
    with pytest.raises(StillPreparing, match="learning what titles are about"):
        await served.follow.check()

    assert await served.follow.learn_when_needed()
    await served.follow.look()
    await served.models.rebuild()

    assert served.learned == 1
    assert not served.models.needs_content
    await served.follow.check()
    assert not await served.follow.learn_when_needed()
    models = served.models.models
    index = models.catalogue.index_by_id["mov_000"]
    near = models.similar(index).titles[:5]
    assert {models.catalogue.records[each].genres for each in near.tolist()} == {models.catalogue.records[index].genres}


async def test_a_new_title_is_placed_without_learning(
    served: Served, records: list[TitleRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the next rebuild on, a moment after its event, it is among its kin; nothing is learned for it."""
    await served.follow.learn_when_needed()
    await served.follow.look()
    await served.models.rebuild()
    before = served.models.models
    monkeypatch.setattr(keep_models, "build_content", None)

    await served.change(records[100:103])

    models = served.models.models
    for record in records[100:103]:
        index = models.catalogue.index_by_id[record.id]
        near = models.similar(index).titles[:5]
        assert {models.catalogue.records[each].genres for each in near.tolist()} == {record.genres}
    assert models.content.space is before.content.space
    kept = [models.catalogue.index_by_id[each.id] for each in before.catalogue.records]
    np.testing.assert_array_equal(models.content.vectors[kept], before.content.vectors)


async def test_what_is_outgrown_is_learned_again(served: Served, records: list[TitleRecord]) -> None:
    """At a quarter more titles, and not more often than once a minute."""
    await served.follow.learn_when_needed()
    await served.follow.look()
    await served.models.rebuild()
    await served.change(records[100:125])
    assert not served.models.needs_content
    await served.change(records[125:127])
    assert served.models.needs_content

    assert not await served.follow.learn_when_needed()
    served.clock.advance(timedelta(minutes=1))
    assert await served.follow.learn_when_needed()
    await served.follow.look()
    await served.models.rebuild()

    assert served.learned == 2
    assert served.models.models.content.space.title_count == 127


async def test_a_restart_begins_with_what_was_learned(
    served: Served, redis: Redis, contents: ObjectContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the first models already, also where the choice was lost with its server."""
    await served.follow.learn_when_needed()
    await redis.flushall()
    again = KeepModels(served.titles, Nobody(), served.clock)  # type: ignore[arg-type]
    monkeypatch.setattr(keep_models, "build_content", None)

    await FollowContent(again, contents, ValkeyModelChoice(redis), served._learn, served.clock).load()
    await again.load()

    assert again.models.content.space.title_count == 100
    assert not again.needs_content


async def test_models_that_were_replaced_leave_the_memory(served: Served, records: list[TitleRecord]) -> None:
    """At once, and not when the collector of cycles next looks at what is old: they are hundreds of megabytes."""
    served.models.models.scored(read_signals(Taste(), served.models.models.catalogue, NOW.timestamp()))
    replaced = ref(served.models.models)
    gc.disable()
    try:
        await served.change(records[100:102])
        for _ in range(200):
            if replaced() is None:
                break
            # The thread that built the new ones lets go of its arguments in its own time.
            await asyncio.sleep(0.01)
        assert replaced() is None
    finally:
        gc.enable()


async def test_damaged_content_is_not_used(served: Served, tmp_path: Path, contents: ObjectContentStore) -> None:
    """What serves stays; the next that is learned is used."""
    await served.follow.learn_when_needed()
    (path,) = (tmp_path / "models" / "content").iterdir()
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(ServiceError, match="damaged"):
        await contents.read(path.stem)
    await served.follow.look()
    assert served.models.needs_content
    served.clock.advance(timedelta(minutes=1))
    await served.follow.learn_when_needed()
    await served.follow.look()
    await served.models.rebuild()
    assert not served.models.needs_content


async def test_the_last_few_contents_are_kept(contents: ObjectContentStore) -> None:
    assert await contents.newest() is None
    ids = [await contents.put(NOW + timedelta(seconds=number), str(number).encode()) for number in range(5)]

    assert await contents.newest() == ids[-1]
    assert [await contents.read(each) for each in ids[2:]] == [b"2", b"3", b"4"]
    with pytest.raises(ServiceError, match="gone"):
        await contents.read(ids[1])


def test_an_unknown_word_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["trainer", "contents"])

    assert trainer.main() == 2
    assert "it takes none, content" in capsys.readouterr().err


def test_placing_costs_by_new_titles_alone(records: list[TitleRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebuild reads the words of what changed, and of nothing else."""
    from subgraphs.recommendations.models import content

    catalogue = build_catalogue(records[:100], 1)
    known = build_content(catalogue.records)
    read: list[str] = []
    tokens = content._tokens

    def counted(record: TitleRecord) -> Any:
        read.append(record.id)
        return tokens(record)

    monkeypatch.setattr(content, "_tokens", counted)
    places = np.arange(100, dtype=np.int32)
    places[7] = -1

    content.carry_over(known, places, catalogue.records)

    assert read == [catalogue.records[7].id]
