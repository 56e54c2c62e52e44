"""What others are told of a taste, of whom, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from common.event_catalogue import check_published
from common.events import Event
from subgraphs.recommendations.domain.taste import Feedback, Opinion, Taste, Watched
from subgraphs.recommendations.domain.titles import record_from_snapshot
from subgraphs.recommendations.ports import InteractionEvents, TasteStore
from subgraphs.recommendations.services import tell_tastes
from subgraphs.recommendations.services.keep_models import KeepModels, build_models
from subgraphs.recommendations.services.tell_tastes import MAX_WAITING, TOLD_AGAIN_AFTER_S, TellTastes
from tests.subgraphs.recommendations.conftest import NOW


@dataclass
class World:
    """Tastes that are read, events that are told, models that do not change."""

    models: Any
    tastes: dict[str, Taste] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)
    is_away: bool = False

    async def taste(self, profile_id: str) -> Taste:
        if self.is_away:
            raise ServiceError(ErrorKind.UNAVAILABLE, "away")
        return self.tastes.get(profile_id, Taste())

    async def tell(self, events: Sequence[Event]) -> None:
        for event in events:
            check_published(event.topic, event.kind, event.data)
        self.told += events


@pytest.fixture
def snapshots(make_snapshot: Callable[..., dict[str, Any]]) -> list[dict[str, Any]]:
    """Forty comedies, of which every fourth has Keaton, and forty westerns."""

    def film(number: int) -> dict[str, Any]:
        genre, words = ("Comedy", "banana chase") if number < 40 else ("Western", "sheriff desert")
        cast = ["Buster Keaton"] if number < 40 and number % 4 == 0 else [f"Actor {number}"]
        genres = [{"id": f"gen_{genre.lower()}", "name": genre}]
        return make_snapshot(f"mov_{number:02d}", genres=genres, synopsis=words, cast=cast)

    return [film(number) for number in range(80)]


@pytest.fixture
def world(snapshots: list[dict[str, Any]]) -> World:
    return World(build_models([record_from_snapshot(each) for each in snapshots], (), 1, NOW.timestamp()))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def teller(world: World, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> TellTastes:
    monkeypatch.setattr(tell_tastes, "REST_RATIO", 0.0)
    kept = cast("KeepModels", world)
    return TellTastes(kept, cast("TasteStore", world), cast("InteractionEvents", world), clock)


def liking(*numbers: int, **changes: Any) -> Taste:
    watched = {f"mov_{number:02d}": Watched(5000, 5000, True, True, NOW.timestamp()) for number in numbers}
    return Taste(version=1, watched=watched, **changes)


def watched(profile_id: str = "prof_1") -> Event:
    return Event("viewing", "title.watched", {"profileId": profile_id}, NOW)


async def settle(teller: TellTastes, clock: FakeClock, seconds: float = 3.0) -> int:
    clock.advance(timedelta(seconds=seconds))
    return await teller.tell_due()


async def test_genres_people_and_titles_follow_from_what_was_liked(
    world: World, teller: TellTastes, clock: FakeClock
) -> None:
    refusal = {"mov_08": Opinion(feedback=Feedback.NOT_INTERESTED)}
    world.tastes["prof_1"] = liking(0, 4, 1, opinions=refusal)
    teller.note(watched())
    assert await settle(teller, clock) == 1
    [event] = world.told
    assert event.data["computedAt"] == clock.now().isoformat()
    genres = {each["id"]: each["weight"] for each in event.data["genres"]}
    people = {each["name"]: each["weight"] for each in event.data["people"]}
    scores = {each["id"]: each["score"] for each in event.data["titles"]}
    assert genres["gen_comedy"] > 0.15
    assert "gen_western" not in genres
    assert next(iter(people)) == "Buster Keaton"
    assert scores["mov_08"] == 0.0, "it was refused"
    assert scores["mov_12"] > max(scores.get(f"mov_{number}", 0.0) for number in range(40, 80))
    assert not {"mov_00", "mov_04", "mov_01"} & set(scores), "what was watched is not told"


async def test_many_changes_are_told_together_and_not_again_too_soon(
    world: World, teller: TellTastes, clock: FakeClock
) -> None:
    world.tastes["prof_1"] = liking(0)
    for _ in range(5):
        teller.note(watched())
    assert await settle(teller, clock, 1.0) == 0
    assert await settle(teller, clock) == 1
    teller.note(watched())
    assert await settle(teller, clock, TOLD_AGAIN_AFTER_S - 5) == 0
    assert await settle(teller, clock, 6) == 1
    assert await settle(teller, clock, 1_000) == 0


async def test_nothing_is_told_without_permission(world: World, teller: TellTastes, clock: FakeClock) -> None:
    world.tastes["prof_1"] = liking(0, is_personal=False)
    teller.note(watched())
    assert await settle(teller, clock) == 0
    data = {"accountId": "acc_1", "profileIds": ["prof_1"], "purpose": "PERSONALISATION", "granted": True}
    world.tastes["prof_1"] = liking(0)
    teller.note(Event("accounts", "consent.changed", {**data, "granted": False}, NOW))
    assert await settle(teller, clock) == 0
    teller.note(Event("accounts", "consent.changed", data, NOW))
    assert await settle(teller, clock) == 1


async def test_who_can_not_be_read_now_is_told_later(world: World, teller: TellTastes, clock: FakeClock) -> None:
    world.is_away = True
    teller.note(watched())
    with pytest.raises(ServiceError):
        await settle(teller, clock)
    world.is_away = False
    world.tastes["prof_1"] = liking(0)
    assert await settle(teller, clock) == 1


async def test_what_could_not_be_told_now_is_told_later(
    world: World, teller: TellTastes, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(events: Sequence[Event]) -> None:
        raise ServiceError(ErrorKind.UNAVAILABLE, "away")

    world.tastes["prof_1"] = liking(0)
    teller.note(watched())
    with monkeypatch.context() as patched:
        patched.setattr(world, "tell", away)
        with pytest.raises(ServiceError):
            await settle(teller, clock)
    assert await settle(teller, clock) == 1


async def test_one_that_can_not_be_told_keeps_nobody_else_from_it(
    world: World, teller: TellTastes, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is not tried for ever: what the profile does next tries again."""
    whole = tell_tastes._told

    def break_at_one(models: Any, taste: Taste, now_s: float) -> Any:
        if "mov_07" in taste.watched:
            raise RuntimeError("broken")
        return whole(models, taste, now_s)

    monkeypatch.setattr(tell_tastes, "_told", break_at_one)
    world.tastes |= {"prof_1": liking(7), "prof_2": liking(0)}
    teller.note(watched("prof_1"))
    teller.note(watched("prof_2"))
    assert await settle(teller, clock) == 1
    assert [each.data["profileId"] for each in world.told] == ["prof_2"]
    assert not teller._due_at_s


async def test_who_goes_while_the_taste_is_read_stops_nothing(
    world: World, teller: TellTastes, clock: FakeClock
) -> None:
    """Whoever waits behind is told."""
    gone = Event("accounts", "account.erased", {"accountId": "acc_1", "profileIds": ["prof_1", "prof_2"]}, NOW)
    read = world.taste

    async def read_meanwhile(profile_id: str) -> Taste:
        if profile_id == "prof_1":
            teller.note(gone)
            return Taste()
        return await read(profile_id)

    world.taste = read_meanwhile  # type: ignore[method-assign]
    for number in (1, 2, 3):
        world.tastes[f"prof_{number}"] = liking(0)
        teller.note(watched(f"prof_{number}"))
    assert await settle(teller, clock) == 1
    assert [each.data["profileId"] for each in world.told] == ["prof_3"]


async def test_a_credit_without_a_name_is_nobody(
    snapshots: list[dict[str, Any]], world: World, teller: TellTastes, clock: FakeClock
) -> None:
    """As feeds have them; an event with one would be refused whole."""
    records = [record_from_snapshot({**each, "cast": ["", "Buster Keaton"]}) for each in snapshots]
    world.models = build_models(records, (), 1, NOW.timestamp())
    world.tastes["prof_1"] = liking(0)
    teller.note(watched())
    assert await settle(teller, clock) == 1
    assert [each["name"] for each in world.told[0].data["people"]] == ["Buster Keaton"]


@pytest.mark.parametrize("kind", ["profile.deleted", "account.erased"])
async def test_nothing_is_told_of_who_is_gone(world: World, teller: TellTastes, clock: FakeClock, kind: str) -> None:
    """Neither what waited nor, when something is heard late, that there was such a profile."""
    world.tastes["prof_1"] = liking(0)
    teller.note(watched())
    owner = {"profileId": "prof_1"} if kind == "profile.deleted" else {"profileIds": ["prof_1", "prof_2"]}
    teller.note(Event("accounts", kind, {"accountId": "acc_1", **owner}, NOW))
    assert await settle(teller, clock) == 0
    del world.tastes["prof_1"]
    teller.note(watched())
    assert await settle(teller, clock) == 0


async def test_what_waits_has_a_bound(teller: TellTastes, clock: FakeClock, world: World) -> None:
    for number in range(MAX_WAITING + 10):
        teller.note(watched(f"prof_{number}"))
    assert len(teller._due_at_s) == MAX_WAITING


async def test_handlers_run_first_and_other_topics_are_left_alone(teller: TellTastes) -> None:
    heard: list[str] = []

    async def handle(event: Event) -> None:
        heard.append(event.kind)

    handlers = teller.handlers(dict.fromkeys(("titles", "viewing", "feedback", "accounts"), handle))
    await handlers["titles"](Event("titles", "title.withdrawn", {"titleIds": []}, NOW))
    await handlers["viewing"](watched())
    assert heard == ["title.withdrawn", "title.watched"]
    assert list(teller._due_at_s) == ["prof_1"]
    assert handlers["titles"] is handle
