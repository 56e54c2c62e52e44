"""From what profiles watched to a version in use, and back to the one before; one trainer at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from obstore.store import LocalStore
from redis.asyncio import Redis

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from subgraphs.recommendations.adapters.object_models import ObjectContentStore, ObjectModelStore, open_model_objects
from subgraphs.recommendations.adapters.valkey.model_choice import ValkeyModelChoice
from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
from subgraphs.recommendations.domain.model_versions import ModelVersion, newest_fit
from subgraphs.recommendations.domain.taste import Feedback, Opinion, Taste, Watched, read_likes, read_signals
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.models.implicit_als import AlsParameters
from subgraphs.recommendations.models.train import Outcome, TrainingSettings
from subgraphs.recommendations.models.trained import EASE, NEIGHBOURS, read_trained
from subgraphs.recommendations.services import publish_versions
from subgraphs.recommendations.services.follow_training import FollowTraining, ScheduleTraining
from subgraphs.recommendations.services.publish_versions import PublishVersions, TrainingRefused
from subgraphs.recommendations.services.train_models import TrainModels

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
SMALL = TrainingSettings(als=AlsParameters(factors=4, steps=3), ease_l2=5.0, neighbours=20, shrinkage=1.0)


class Titles:
    def __init__(self, snapshots: list[dict[str, Any]]) -> None:
        self._records = [record_from_snapshot(each) for each in snapshots]

    async def load(self) -> Any:
        return self._records


class Served:
    """What FollowTraining hands over."""

    def __init__(self) -> None:
        self.used: list[Any] = []

    def use(self, trained: Any) -> None:
        self.used.append(trained)


@pytest.fixture
def store(tmp_path: Path) -> ObjectModelStore:
    return ObjectModelStore(open_model_objects("", tmp_path / "models"))


@pytest.fixture
def choice(redis: Redis) -> ValkeyModelChoice:
    return ValkeyModelChoice(redis)


def seen(at: datetime) -> Watched:
    return Watched(5000, 5000, completed=True, ever_completed=True, at_s=at.timestamp())


async def watch_in_camps(tastes: ValkeyTasteStore, profile_count: int) -> None:
    """Half of the profiles watch titles 0 to 29, half 30 to 59, eight each."""
    chance = np.random.default_rng(3)
    for number in range(profile_count):
        titles = chance.choice(30, 8, replace=False) + 30 * (number % 2)
        for title in titles:
            await tastes.watched(f"prof_{number}", f"mov_{title:03}", seen(NOW - timedelta(days=int(title))))


def trainer(
    snapshots: list[dict[str, Any]], redis: Redis, store: ObjectModelStore, clock: FakeClock | None = None
) -> TrainModels:
    return TrainModels(
        titles=Titles(snapshots),  # type: ignore[arg-type]
        tastes=ValkeyTasteStore(redis),
        store=store,
        contents=ObjectContentStore(store._store),
        choice=ValkeyModelChoice(redis),
        clock=clock or FakeClock(NOW),
    )


async def test_training_learns_what_is_watched_together(
    catalogue_snapshots: list[dict[str, Any]], redis: Redis, store: ObjectModelStore, choice: ValkeyModelChoice
) -> None:
    """The version is measured, used, and knows the two camps."""
    await watch_in_camps(ValkeyTasteStore(redis), 120)

    version, is_used = await trainer(catalogue_snapshots, redis, store).train(SMALL)

    assert is_used
    assert (await choice.choice()).version_id == version.id
    assert (version.profile_count, version.like_count, version.title_count) == (120, 960, 60)
    assert version.metrics["blend"]["NDCG@100"][0] >= version.metrics["popularity"]["NDCG@100"][0]
    assert [each.id for each in await store.versions()] == [version.id]
    trained = read_trained(await store.read(version))
    first = trained.title_ids.index("mov_000")
    row = slice(trained.neighbours.starts[first], trained.neighbours.starts[first + 1])
    assert {trained.title_ids[each] < "mov_030" for each in trained.neighbours.indices[row]} == {True}
    assert trained.ease is not None
    assert EASE in trained.weights


async def test_a_handful_of_profiles_makes_a_version_by_judgement(
    catalogue_snapshots: list[dict[str, Any]], redis: Redis, store: ObjectModelStore
) -> None:
    await watch_in_camps(ValkeyTasteStore(redis), 6)

    version, is_used = await trainer(catalogue_snapshots, redis, store).train(SMALL)

    assert is_used
    assert version.metrics == {}
    assert version.weights[NEIGHBOURS] == 0.30
    assert read_trained(await store.read(version)).als == ()


async def test_nobody_s_likes_are_refused(
    catalogue_snapshots: list[dict[str, Any]], redis: Redis, store: ObjectModelStore
) -> None:
    with pytest.raises(TrainingRefused, match="no profile has liked"):
        await trainer(catalogue_snapshots, redis, store).train(SMALL)
    assert await store.versions() == []


async def test_profiles_without_consent_are_not_learned_from(
    catalogue_snapshots: list[dict[str, Any]], redis: Redis, store: ObjectModelStore
) -> None:
    tastes = ValkeyTasteStore(redis)
    await watch_in_camps(tastes, 10)
    for number in range(4):
        await tastes.allow(f"prof_{number}", NOW, is_personal=False)

    version, _ = await trainer(catalogue_snapshots, redis, store).train(SMALL)

    assert version.profile_count == 6


async def test_only_one_trains(
    catalogue_snapshots: list[dict[str, Any]], redis: Redis, store: ObjectModelStore, choice: ValkeyModelChoice
) -> None:
    """While another holds the lease nothing is trained; afterwards the lease is free again."""
    await watch_in_camps(ValkeyTasteStore(redis), 4)
    assert await choice.take_lease("another", 30)

    with pytest.raises(TrainingRefused, match="another process"):
        await trainer(catalogue_snapshots, redis, store).train(SMALL)
    await choice.give_back_lease("a third")
    assert not await choice.take_lease("a third", 30)
    await choice.give_back_lease("another")
    await trainer(catalogue_snapshots, redis, store).train(SMALL)

    assert await choice.take_lease("a third", 30)


async def test_a_lease_is_renewed_while_training_goes_on_and_ends_by_itself(
    redis: Redis, store: ObjectModelStore, choice: ValkeyModelChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training that takes longer than a lease keeps it; a trainer that was killed holds it for a minute at most."""
    monkeypatch.setattr(publish_versions, "RENEW_S", 0.001)
    owners: list[str] = []
    is_renewed = asyncio.Event()
    take = choice.take_lease

    async def taken(owner: str, life_s: float) -> bool:
        owners.append(owner)
        if len(owners) == 3:
            is_renewed.set()
        return await take(owner, life_s)

    monkeypatch.setattr(choice, "take_lease", taken)
    async with PublishVersions(store, choice, "marquee models list").leased():
        await asyncio.wait_for(is_renewed.wait(), 10)
        assert len(set(owners)) == 1
        assert 0 < await redis.pttl("marquee:models:lease") <= publish_versions.LEASE_S * 1000
        assert not await take("another", 30)
    assert await take("another", 30)


async def test_a_version_that_is_no_better_than_popularity_is_kept_and_not_used(
    catalogue_snapshots: list[dict[str, Any]],
    redis: Redis,
    store: ObjectModelStore,
    choice: ValkeyModelChoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await watch_in_camps(ValkeyTasteStore(redis), 120)
    monkeypatch.setattr(Outcome, "is_better_than_popularity", False)

    version, is_used = await trainer(catalogue_snapshots, redis, store).train(SMALL)

    assert not is_used
    assert (await choice.choice()).version_id is None
    assert version.unfit_because is not None
    assert newest_fit(await store.versions()) is None


async def test_rolling_back_stays_until_a_person_says_otherwise(
    catalogue_snapshots: list[dict[str, Any]], redis: Redis, store: ObjectModelStore, choice: ValkeyModelChoice
) -> None:
    await watch_in_camps(ValkeyTasteStore(redis), 4)
    clock = FakeClock(NOW)
    train = trainer(catalogue_snapshots, redis, store, clock)
    assert await choice.go_back() is None
    first, _ = await train.train(SMALL)
    assert await choice.go_back() is None
    clock.advance(timedelta(hours=1))
    second, _ = await train.train(SMALL)

    assert await choice.go_back() == first.id
    clock.advance(timedelta(hours=1))
    third, is_used = await train.train(SMALL)

    assert not is_used
    assert (await choice.choice()).version_id == first.id
    assert [each.id for each in await store.versions()] == [third.id, second.id, first.id]
    await choice.choose(third.id, is_pinned=False)
    assert not (await choice.choice()).is_pinned


async def test_old_versions_are_forgotten_but_never_the_one_in_use(
    catalogue_snapshots: list[dict[str, Any]],
    redis: Redis,
    store: ObjectModelStore,
    choice: ValkeyModelChoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publish_versions, "KEPT_VERSIONS", 2)
    await watch_in_camps(ValkeyTasteStore(redis), 4)
    clock = FakeClock(NOW)
    train = trainer(catalogue_snapshots, redis, store, clock)
    versions = []
    for _ in range(4):
        clock.advance(timedelta(hours=1))
        versions.append((await train.train(SMALL))[0].id)
        await choice.choose(versions[0], is_pinned=True)

    assert [each.id for each in await store.versions()] == [versions[3], versions[2], versions[0]]


async def test_a_chosen_version_is_loaded_and_a_damaged_one_is_not(
    catalogue_snapshots: list[dict[str, Any]],
    redis: Redis,
    store: ObjectModelStore,
    choice: ValkeyModelChoice,
    tmp_path: Path,
) -> None:
    await watch_in_camps(ValkeyTasteStore(redis), 4)
    clock = FakeClock(NOW)
    train = trainer(catalogue_snapshots, redis, store, clock)
    first, _ = await train.train(SMALL)
    served = Served()
    following = FollowTraining(served, store, choice)  # type: ignore[arg-type]

    await following.load()
    await following.look()
    assert len(served.used) == 1

    clock.advance(timedelta(hours=1))
    second, _ = await train.train(SMALL)
    (tmp_path / "models" / second.id / "model.npz").write_bytes(b"cut off")
    with pytest.raises(ServiceError, match="damaged"):
        await store.read(second)
    await following.look()
    assert len(served.used) == 1

    await choice.choose(first.id, is_pinned=True)
    await redis.flushall()
    await following.look()
    assert len(served.used) == 1
    await FollowTraining(served, store, choice).load()  # type: ignore[arg-type]
    assert len(served.used) == 1, "the newest is damaged"
    await store.delete(second.id)
    await FollowTraining(served, store, choice).load()  # type: ignore[arg-type]
    assert served.used[-1].title_ids == served.used[0].title_ids


async def test_what_is_damaged_is_read_once_and_what_is_away_again(
    catalogue_snapshots: list[dict[str, Any]],
    redis: Redis,
    store: ObjectModelStore,
    choice: ValkeyModelChoice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every process looks once a second: a version of tens of megabytes that stays damaged would be read for ever."""
    await watch_in_camps(ValkeyTasteStore(redis), 4)
    await trainer(catalogue_snapshots, redis, store, FakeClock(NOW)).train(SMALL)
    kinds = [ErrorKind.UNAVAILABLE, ErrorKind.UNAVAILABLE, ErrorKind.INTERNAL]
    reads = iter(kinds)

    async def fail(version: Any) -> bytes:
        raise ServiceError(next(reads), "not to be had")

    monkeypatch.setattr(store, "read", fail)
    following = FollowTraining(Served(), store, choice)  # type: ignore[arg-type]
    for _ in range(len(kinds) + 2):
        await following.look()
    assert next(reads, None) is None


async def test_half_a_version_is_not_listed(tmp_path: Path) -> None:
    """A crash between the two objects leaves nothing that anybody would use."""
    folder = tmp_path / "models"
    folder.mkdir()
    objects = LocalStore(folder)
    await objects.put_async("20260301T200000-abcd/model.npz", b"half")
    await objects.put_async("20260301T210000-abcd/about.json", b"not json")

    assert await ObjectModelStore(objects).versions() == []


async def test_training_is_due_when_the_last_is_old(
    catalogue_snapshots: list[dict[str, Any]], redis: Redis, store: ObjectModelStore
) -> None:
    """Nothing there: at once. Then after the interval; a training that made nothing is not tried again at once."""
    await watch_in_camps(ValkeyTasteStore(redis), 4)
    clock = FakeClock(NOW)
    train = trainer(catalogue_snapshots, redis, store, clock)
    runs: list[ModelVersion] = []
    makes_one = True

    async def run() -> None:
        if makes_one:
            runs.append((await train.train(SMALL))[0])

    schedule = ScheduleTraining(store, run, timedelta(hours=1), clock)
    assert await schedule.train_when_due()
    assert not await schedule.train_when_due()
    clock.advance(timedelta(minutes=59))
    assert not await schedule.train_when_due()
    clock.advance(timedelta(minutes=1))
    makes_one = False
    assert await schedule.train_when_due()
    clock.advance(timedelta(minutes=9))
    assert not await schedule.train_when_due()
    clock.advance(timedelta(minutes=1))
    assert await schedule.train_when_due()
    assert len(runs) == 1


async def test_a_watch_is_in_the_scores_without_training(subgraph: Any, make_snapshot: Any, tmp_path: Path) -> None:
    """Trained once, then served: new watching moves the profile's scores at once, by every model."""
    from subgraphs.recommendations.models.blend import score_titles

    await subgraph.tell_titles([make_snapshot(f"mov_{number:03}") for number in range(60)])
    await watch_in_camps(subgraph.models._tastes, 120)
    store = ObjectModelStore(open_model_objects("", tmp_path / "objects" / "models"))
    choice = ValkeyModelChoice(subgraph.redis)
    training = TrainModels(
        titles=subgraph.models._titles,
        tastes=subgraph.models._tastes,
        store=store,
        contents=ObjectContentStore(store._store),
        choice=choice,
        clock=subgraph.clock,
    )
    await training.train(SMALL)
    await FollowTraining(subgraph.models, store, choice).look()
    await subgraph.models.rebuild()

    async def scores() -> Mapping[str, float]:
        taste = await subgraph.models._tastes.taste("prof_new")
        models = subgraph.models.models
        found = score_titles(models, read_signals(taste, models.catalogue, subgraph.clock.now().timestamp()))
        return dict(zip((each.id for each in models.catalogue.records), found.scores.tolist(), strict=True))

    await subgraph.watch("mov_001", 1.0, "prof_new")
    before = await scores()
    await subgraph.watch("mov_045", 1.0, "prof_new")
    await subgraph.watch("mov_046", 1.0, "prof_new")
    after = await scores()

    camp = [f"mov_{number:03}" for number in range(30, 60) if number not in {45, 46}]
    assert np.mean([after[each] for each in camp]) > np.mean([before[each] for each in camp])
    assert "implicit ALS" in subgraph.models.models.parts


def test_likes_are_what_was_finished_or_praised(make_snapshot: Any) -> None:
    from subgraphs.recommendations.domain.catalogue import build_catalogue

    records = [record_from_snapshot(make_snapshot(f"mov_{name}")) for name in "abcdefgh"]
    catalogue = build_catalogue(records, 1)
    watched = {
        "mov_a": Watched(100, 100, completed=True, ever_completed=True, at_s=50),
        "mov_b": Watched(50, 100, completed=False, ever_completed=False, at_s=60),
        "mov_c": Watched(49, 100, completed=False, ever_completed=False, at_s=70),
        "mov_d": Watched(100, 100, completed=True, ever_completed=True, at_s=80),
        "mov_unknown": Watched(100, 100, completed=True, ever_completed=True, at_s=90),
    }
    opinions = {
        "mov_d": Opinion(feedback=Feedback.NOT_INTERESTED),
        "mov_e": Opinion(stars=4),
        "mov_f": Opinion(stars=2, listed_at_s=10),
        "mov_g": Opinion(listed_at_s=20),
        "mov_h": Opinion(stars=3),
    }
    likes = read_likes(Taste(watched=watched, opinions=opinions), catalogue)

    assert {catalogue.records[place].id: at_s for place, at_s in likes.items()} == {
        "mov_a": 50,
        "mov_b": 60,
        "mov_e": 90,
        "mov_g": 20,
    }
    assert read_likes(Taste(watched=watched, opinions=opinions, is_personal=False), catalogue) == {}


async def test_consent_and_thumbs_come_by_events(subgraph: Any, make_snapshot: Any) -> None:
    """A thumb is taken and taken back; without personalisation nothing but what the profile asked for is used."""
    tastes = subgraph.models._tastes
    await subgraph.tell("feedback", "title.thumbed", {"profileId": "prof_1", "titleId": "mov_001", "thumb": "UP"})
    assert (await tastes.taste("prof_1")).opinions["mov_001"].feedback is Feedback.THUMBS_UP
    subgraph.clock.advance(timedelta(seconds=1))
    await subgraph.tell("feedback", "title.thumbed", {"profileId": "prof_1", "titleId": "mov_001", "thumb": None})
    assert (await tastes.taste("prof_1")).opinions["mov_001"].feedback is None
    subgraph.clock.advance(timedelta(seconds=1))
    no = {
        "accountId": "acc_1",
        "profileIds": ["prof_1", "prof_2"],
        "purpose": "PERSONALISATION",
        "granted": False,
        "textVersion": 1,
    }
    await subgraph.tell("accounts", "consent.changed", no)
    await subgraph.tell_titles([make_snapshot(f"mov_{number:03}") for number in range(5)])
    await subgraph.watch("mov_002", 1.0)
    await subgraph.watch("mov_003", 0.4)

    taste = await tastes.taste("prof_1")
    signals = read_signals(taste, subgraph.models.models.catalogue, subgraph.clock.now().timestamp())
    assert not taste.is_personal
    assert not (await tastes.taste("prof_2")).is_personal
    assert signals.weights == {}
    assert signals.liked == frozenset()
    assert len(signals.continued) == 1
    subgraph.clock.advance(timedelta(seconds=1))
    await subgraph.tell("accounts", "consent.changed", {**no, "granted": True})
    assert (await tastes.taste("prof_1")).is_personal


async def test_what_was_taken_out_of_the_history_counts_for_nothing(subgraph: Any, make_snapshot: Any) -> None:
    """Until it is put back or watched again; what was dismissed is only not offered to go on with."""
    tastes = subgraph.models._tastes
    await subgraph.tell_titles([make_snapshot("mov_a"), make_snapshot("mov_b")])
    await subgraph.watch("mov_a", 0.5)
    await subgraph.watch("mov_b", 0.5)

    async def change(title_id: str, mark: str, *, is_set: bool = True) -> None:
        subgraph.clock.advance(timedelta(seconds=1))
        at = subgraph.clock.now().isoformat()
        data = {"profileId": "prof_1", "accountId": "acc_1", "titleIds": [title_id], "mark": mark}
        await subgraph.tell("viewing", "history.changed", {**data, "isSet": is_set, "occurredAt": at})

    async def offered() -> tuple[list[str], list[str]]:
        taste = await tastes.taste("prof_1")
        catalogue = subgraph.models.models.catalogue
        signals = read_signals(taste, catalogue, subgraph.clock.now().timestamp())
        return (
            [catalogue.records[title].id for title, _ in signals.continued],
            sorted(catalogue.records[work].id for work in signals.weights),
        )

    await change("mov_a", "HIDDEN")
    await change("mov_b", "DISMISSED")
    assert await offered() == ([], ["mov_b"])
    await change("mov_a", "HIDDEN", is_set=False)
    assert await offered() == (["mov_a"], ["mov_a", "mov_b"])
    await change("mov_a", "HIDDEN")
    await subgraph.watch("mov_a", 0.6)
    await subgraph.watch("mov_b", 0.6)
    assert await offered() == (["mov_b", "mov_a"], ["mov_a", "mov_b"])
