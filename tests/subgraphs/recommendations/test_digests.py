"""Digests: what is new for whom, once a week, by one process at a time."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from common.event_catalogue import check_published
from common.events import Event, EventPublisher, stream_key
from subgraphs.kernel.migrations import downgrade, upgrade
from subgraphs.kernel.personal_data import Subject
from subgraphs.kernel.personal_tables import SqlPersonalData
from subgraphs.kernel.sql import open_engine, sqlite_url
from subgraphs.recommendations.adapters.sqlalchemy.digests import PERSONAL_TABLES, SqlSubscribers
from subgraphs.recommendations.adapters.valkey.digest_turn import ValkeyDigestTurn
from subgraphs.recommendations.app import MIGRATIONS
from subgraphs.recommendations.domain.digests import REMEMBERED_TITLES, Subscriber, week_of
from subgraphs.recommendations.domain.taste import Feedback, Opinion, Taste, Watched
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.models.blend import Models
from subgraphs.recommendations.services import compose_digests
from subgraphs.recommendations.services.compose_digests import ComposeDigests, DigestDay
from subgraphs.recommendations.services.keep_models import build_models

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
"""A Wednesday; digests come on Fridays at 15:00."""
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
OLD = "2026-01-01T00:00:00+00:00"
ASSET = {
    "assetId": "ast_1",
    "hls": "a",
    "dash": "b",
    "durationSeconds": 5000,
    "maxHeightPx": 1080,
    "encryption": "clear",
}


@pytest.fixture
def film(make_snapshot: Any) -> Any:
    """A film that can be watched and came ten days before the first Friday."""

    def make(title_id: str, **changes: Any) -> dict[str, Any]:
        western = [{"id": "gen_western", "name": "Western"}]
        added = (FRIDAY - timedelta(days=10)).isoformat()
        values = {"synopsis": "sheriff desert outlaw", "genres": western, "asset": ASSET, "addedAt": added}
        made: dict[str, Any] = make_snapshot(title_id, **{**values, **changes})
        return made

    return make


@dataclass
class Turn:
    """Whose turn it is, and what was told; `failing` as often as it says."""

    told: list[Event] = field(default_factory=list)
    owner: str | None = None
    failing: int = 0

    async def take(self, owner: str, life_s: float) -> bool:
        if self.owner not in {None, owner}:
            return False
        self.owner = owner
        return True

    async def give_back(self, owner: str) -> None:
        if self.owner == owner:
            self.owner = None

    async def tell(self, event: Event) -> None:
        check_published(event.topic, event.kind, event.data)
        if self.failing:
            self.failing -= 1
            raise ServiceError(ErrorKind.UNAVAILABLE, "away")
        self.told.append(event)


@dataclass
class World:
    """The service over a catalogue and tastes that the test sets."""

    store: SqlSubscribers
    turn: Turn = field(default_factory=Turn)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    tastes: dict[str, Taste] = field(default_factory=dict)
    models: Models = field(default_factory=lambda: build_models((), (), 0, 0.0))
    events: int = 0

    def __post_init__(self) -> None:
        self.service = self.process()

    def process(self) -> ComposeDigests:
        """One that shares the stores with the others."""
        day = DigestDay(4, 15)
        return ComposeDigests(
            models=self,  # type: ignore[arg-type]  # only its models are read
            tastes=self,  # type: ignore[arg-type]  # only tastes are read
            subscribers=self.store,
            turn=self.turn,
            day=day,
            clock=self.clock,
        )

    async def taste(self, profile_id: str) -> Taste:
        return self.tastes.get(profile_id, Taste())

    def know(self, *snapshots: dict[str, Any]) -> None:
        self.models = build_models([record_from_snapshot(each) for each in snapshots], (), 1, 0.0)

    async def hear(self, kind: str, at: datetime | None = None, **data: Any) -> None:
        await self.service.on_accounts(Event("accounts", kind, data, at or self.clock.now(), "1-1"))

    async def subscribe(self, profile_id: str = "prof_1", at: datetime | None = None, **changes: Any) -> None:
        values = {"accountId": "acc_1", "isKids": False, "maturity": 12, "country": "US", "digest": True, **changes}
        await self.hear("profile.changed", at, profileId=profile_id, language="en", **values)

    def go_to(self, at: datetime) -> None:
        self.clock.advance(at - self.clock.now())

    async def friday(self, weeks: int = 0) -> list[list[str]]:
        """The ids of titles of each digest that is told then."""
        self.go_to(FRIDAY + weeks * WEEK)
        self.turn.told.clear()
        await self.service.compose_due()
        return [[title["titleId"] for title in event.data["titles"]] for event in self.turn.told]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlSubscribers]:
    engine = open_engine(sqlite_url(tmp_path / "recommendations.sqlite"))
    await upgrade(engine, MIGRATIONS)
    yield SqlSubscribers(engine)
    await engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
async def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlSubscribers]:
    """Each store that is promised, migrated and empty."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    else:
        url = sqlite_url(tmp_path / "recommendations.sqlite")
    engine = open_engine(url)
    await upgrade(engine, MIGRATIONS)
    yield SqlSubscribers(engine)
    await downgrade(engine, MIGRATIONS, "base")
    await engine.dispose()


@pytest.fixture
def world(store: SqlSubscribers, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(compose_digests, "REST_RATIO", 0.0)
    return World(store)


# --- when ------------------------------------------------------------------------------------------------------------


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda at: at.year > 1), st.integers(0, 6), st.integers(0, 23))
@settings(max_examples=50, deadline=None)
def test_a_week_begins_on_its_day_at_its_hour(now: datetime, weekday: int, hour: int) -> None:
    """It holds now, and lasts seven days."""
    began = datetime.fromisoformat(week_of(now, weekday, hour)).replace(hour=hour, tzinfo=UTC)
    assert began.weekday() == weekday
    assert timedelta(0) <= now - began < WEEK


async def test_a_profile_gets_one_a_week_and_nothing_twice(world: World, film: Any) -> None:
    """From the week on that follows the wish; what was mailed is not new any more."""
    world.know(*(film(f"mov_{number:02}", popularity=number / 20) for number in range(20)))
    await world.subscribe()
    assert await world.service.compose_due() == 0
    [first] = await world.friday()
    assert first == [f"mov_{number:02}" for number in range(19, 11, -1)]
    assert await world.service.compose_due() == 0
    world.clock.advance(timedelta(days=6))
    assert await world.service.compose_due() == 0
    [second] = await world.friday(1)
    assert not set(first) & set(second)
    assert world.turn.told[0].id == "digest:prof_1:2026-11-27"


async def test_nothing_new_is_no_digest(world: World, film: Any) -> None:
    """Old titles, too few, and such as have no film yet."""
    old = [film(f"mov_old{number}", addedAt=OLD) for number in range(9)]
    no_film = [film(f"mov_later{number}", asset=None) for number in range(9)]
    world.know(*old, *no_film, film("mov_1"), film("mov_2"))
    await world.subscribe()
    assert await world.friday() == []
    world.know(*old, film("mov_1"), film("mov_2"), film("mov_3"))
    assert await world.friday(1) == [["mov_1", "mov_2", "mov_3"]]


async def test_a_window_that_opens_makes_a_title_new(world: World, film: Any) -> None:
    """In its country; elsewhere it is as old as it was."""
    opens = (FRIDAY - timedelta(days=2)).isoformat()
    windows = [{"country": "*", "from": None, "until": None}]
    here = [{"country": "US", "from": opens, "until": None}]
    world.know(*(film(f"mov_{number}", addedAt=OLD, windows=here) for number in range(3)))
    await world.subscribe()
    await world.subscribe("prof_de", country="DE")
    assert await world.friday() == [["mov_0", "mov_1", "mov_2"]]
    world.know(*(film(f"mov_{number}", addedAt=OLD, windows=[*windows, *here]) for number in range(3, 6)))
    assert await world.friday(1) == []


# --- for whom --------------------------------------------------------------------------------------------------------


async def test_only_what_the_profile_may_see_and_does_not_know(world: World, film: Any) -> None:
    """Its limits, its country, what it watched, began or refused."""
    forbidden = [film("mov_adult", minimumAge=18), film("mov_blocked", blockedCountries=["US"])]
    forbidden.append(film("mov_closed", windows=[{"country": "DE", "from": None, "until": None}]))
    known = [film("mov_seen"), film("mov_begun"), film("mov_refused")]
    world.know(*forbidden, *known, *(film(f"mov_{number}") for number in range(3)))
    at_s = (FRIDAY - timedelta(days=1)).timestamp()
    world.tastes["prof_1"] = Taste(
        watched={
            "mov_seen": Watched(5000, 5000, completed=True, ever_completed=True, at_s=at_s),
            "mov_begun": Watched(900, 5000, completed=False, ever_completed=False, at_s=at_s),
        },
        opinions={"mov_refused": Opinion(feedback=Feedback.NOT_INTERESTED)},
    )
    await world.subscribe()
    assert await world.friday() == [["mov_0", "mov_1", "mov_2"]]


async def test_what_suits_comes_first_with_its_cause(world: World, film: Any) -> None:
    """The reason is one of the page: without it the title would stand further down."""
    romance = {"genres": [{"id": "gen_romance", "name": "Romance"}], "synopsis": "sweetheart dance moonlight"}
    liked = film("mov_liked", displayName="Dance", addedAt=OLD, **romance)
    world.know(liked, film("mov_w1", popularity=0.9), film("mov_w2", popularity=0.9), film("mov_r", **romance))
    seen = Watched(5000, 5000, completed=True, ever_completed=True, at_s=NOW.timestamp())
    world.tastes["prof_1"] = Taste(watched={"mov_liked": seen})
    await world.subscribe()
    assert (await world.friday())[0][0] == "mov_r"
    assert world.turn.told[0].data["titles"][0]["reason"] == "Because you watched Dance"


@pytest.mark.parametrize(
    "end",
    [
        ("profile.changed", {"digest": False}),
        ("profile.changed", {"isKids": True}),
        ("profile.deleted", {}),
        ("consent.changed", {"profileIds": ["prof_1"], "purpose": "DIGEST", "granted": False}),
        ("account.erased", {"profileIds": ["prof_1"]}),
    ],
)
async def test_who_stopped_it_gets_none(world: World, film: Any, end: tuple[str, dict[str, Any]]) -> None:
    """And hears an older wish that comes late no more, nor twice in a week by stopping and beginning."""
    world.know(*(film(f"mov_{number}") for number in range(5)))
    await world.subscribe()
    kind, data = end
    world.clock.advance(timedelta(minutes=1))
    profile = {"profileId": "prof_1", "accountId": "acc_1", "maturity": 12, "country": "US", "language": "en"}
    await world.hear(kind, **{**profile, "isKids": False, "digest": True, **data})
    if kind in {"profile.changed", "consent.changed"}:
        await world.subscribe(at=NOW)
    assert await world.friday() == []


async def test_stopping_and_beginning_brings_nothing_twice(world: World, film: Any) -> None:
    """The week of the last one stays known, and what was in it."""
    world.know(*(film(f"mov_{number:02}") for number in range(20)))
    await world.subscribe()
    [first] = await world.friday()
    world.clock.advance(timedelta(minutes=1))
    await world.subscribe(digest=False)
    world.clock.advance(timedelta(minutes=1))
    await world.subscribe()
    assert await world.service.compose_due() == 0
    [second] = await world.friday(1)
    assert not set(first) & set(second)


async def test_other_news_of_accounts_change_nothing(world: World, film: Any) -> None:
    """Other purposes, an older service's event without the word, a kids profile whose account asked."""
    world.know(*(film(f"mov_{number}", isKids=True) for number in range(5)))
    await world.subscribe()
    at = {"profileIds": ["prof_1"], "accountId": "acc_1"}
    await world.hear("consent.changed", purpose="MARKETING", granted=False, **at)
    await world.subscribe(digest=None)
    await world.subscribe("prof_kid", isKids=True)
    assert len(await world.friday()) == 1


# --- by whom ---------------------------------------------------------------------------------------------------------


async def test_one_process_at_a_time_and_what_failed_is_gone_on_with(
    world: World, film: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches; who was told already is not told again."""
    monkeypatch.setattr(compose_digests, "BATCH_SIZE", 2)
    world.know(*(film(f"mov_{number}") for number in range(5)))
    for number in range(5):
        await world.subscribe(f"prof_{number}")
    world.go_to(FRIDAY)
    world.turn.owner = "another"
    assert await world.service.compose_due() == 0
    world.turn.owner, world.turn.failing = None, 1
    with pytest.raises(ServiceError):
        await world.service.compose_due()
    assert world.turn.owner is None
    assert await world.process().compose_due() == 5
    assert [event.data["profileId"] for event in world.turn.told] == [f"prof_{number}" for number in range(5)]
    assert await world.service.compose_due() == 0


async def test_a_profile_that_can_not_be_composed_for_stops_nobody(
    world: World, film: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its turn again in the next week."""
    whole = compose_digests.choose_titles

    def break_at_one(models: Models, subscriber: Subscriber, *rest: Any) -> Any:
        if subscriber.profile_id == "prof_1":
            raise RuntimeError("broken")
        return whole(models, subscriber, *rest)

    monkeypatch.setattr(compose_digests, "choose_titles", break_at_one)
    world.know(*(film(f"mov_{number}") for number in range(5)))
    for number in range(3):
        await world.subscribe(f"prof_{number}")
    assert len(await world.friday()) == 2
    monkeypatch.setattr(compose_digests, "choose_titles", whole)
    assert await world.service.compose_due() == 0
    await world.friday(1)
    assert [event.data["profileId"] for event in world.turn.told] == ["prof_1"]


async def test_a_digest_that_nobody_could_read_stops_nobody(world: World, film: Any) -> None:
    """A title without a name, as a feed may have one, is refused where events are made."""
    world.know(*(film(f"mov_{number}") for number in range(3)), film("mov_3", displayName="", blockedCountries=["DE"]))
    for number, country in enumerate(("US", "DE")):
        await world.subscribe(f"prof_{number}", country=country)
    assert await world.friday() == [["mov_0", "mov_1", "mov_2"]]
    assert await world.service.compose_due() == 0


async def test_a_large_catalogue_is_looked_through_beside_requests(
    world: World, film: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came to a country is found title by title: tens of thousands would hold everything else up."""
    threads: list[threading.Thread] = []
    whole = compose_digests.new_in

    def note_thread(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return whole(*arguments)

    monkeypatch.setattr(compose_digests, "new_in", note_thread)
    world.know(*(film(f"mov_{number}") for number in range(3)))
    for number in range(3):
        await world.subscribe(f"prof_{number}")
    assert len(await world.friday()) == 3
    assert len(threads) == 1, "once for a country"
    assert threading.main_thread() not in threads


async def test_remembered_titles_are_bounded(any_store: SqlSubscribers) -> None:
    """The newest stay."""
    subscriber = Subscriber("prof_1", "acc_1", "US", 12)
    await any_store.put(subscriber, "2026-11-13", NOW)
    await any_store.composed(subscriber, "2026-11-13", [f"mov_{number}" for number in range(REMEMBERED_TITLES + 5)])
    [found] = await any_store.due("2026-11-20", "", 10)
    assert found.mailed == tuple(f"mov_{number}" for number in range(5, REMEMBERED_TITLES + 5))


async def test_who_is_due_comes_once_in_order_and_by_the_newest_word(any_store: SqlSubscribers) -> None:
    """A week that is done, a later stop and an older wish."""
    for number in range(4):
        await any_store.put(Subscriber(f"prof_{number}", "acc_1", "US", 12), "2026-11-13", NOW)
    await any_store.composed(Subscriber("prof_0", "acc_1", "US", 12), "2026-11-20", [])
    await any_store.stop(["prof_1", "prof_unknown"], NOW + timedelta(minutes=1))
    await any_store.put(Subscriber("prof_1", "acc_1", "US", 12), "2026-11-13", NOW)
    await any_store.put(Subscriber("prof_2", "acc_1", "DE", 16), "2026-11-20", NOW + timedelta(minutes=1))
    await any_store.put(Subscriber("prof_2", "acc_1", "US", 12), "2026-11-20", NOW)
    first = await any_store.due("2026-11-20", "", 1)
    rest = await any_store.due("2026-11-20", first[-1].profile_id, 10)
    assert [*first, *rest] == [Subscriber("prof_2", "acc_1", "DE", 16), Subscriber("prof_3", "acc_1", "US", 12)]
    await any_store.forget(["prof_2", "prof_3"])
    assert await any_store.due("2026-11-20", "", 10) == []


async def test_a_subscription_is_handed_out_and_erased(any_store: SqlSubscribers) -> None:
    """With its owner alone."""
    for number in (1, 2):
        await any_store.put(Subscriber(f"prof_{number}", f"acc_{number}", "US", 12), "2026-11-13", NOW)
    personal = SqlPersonalData(any_store._engine, PERSONAL_TABLES)
    subject = Subject("acc_1", ("prof_1",))
    [row] = (await personal.export_personal(subject))["table:digest_subscribers"]
    assert row["profile_id"] == "prof_1"
    await personal.erase_personal(subject)
    found: Sequence[Subscriber] = await any_store.due("2026-11-20", "", 10)
    assert [each.profile_id for each in found] == ["prof_2"]


async def test_turns_and_telling_on_valkey(redis: Redis, world: World, film: Any) -> None:
    """A lease that ends, and an event that everybody can read."""
    turn = ValkeyDigestTurn(redis, EventPublisher(redis))
    assert await turn.take("a", 60)
    assert not await turn.take("b", 60)
    await turn.give_back("b")
    assert await turn.take("a", 60)
    await turn.give_back("a")
    assert await turn.take("b", 60)
    await turn.give_back("b")
    world.turn = turn  # type: ignore[assignment]
    world.service = world.process()
    world.know(*(film(f"mov_{number}") for number in range(3)))
    await world.subscribe()
    world.go_to(FRIDAY)
    assert await world.service.compose_due() == 1
    assert await redis.xlen(stream_key("digests")) == 1
