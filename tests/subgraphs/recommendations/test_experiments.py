"""Experiments in the running subgraph: defined, started, on pages, counted, read, stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from common.errors import ErrorKind, ServiceError
from common.events import Event, stream_key
from common.tokens import Viewer
from subgraphs.kernel.ids import AccountId, ProfileId
from subgraphs.kernel.personal_data import Subject
from subgraphs.kernel.personal_keys import ValkeyPersonalData
from subgraphs.recommendations.adapters.sqlalchemy.experiments import SqlExperimentStore
from subgraphs.recommendations.adapters.valkey.measures import ValkeyExperimentMeasures
from subgraphs.recommendations.adapters.valkey.personal_data import PERSONAL_KEYS
from subgraphs.recommendations.adapters.valkey.tastes import ValkeyTasteStore
from subgraphs.recommendations.experiments.assign import tracking_code
from subgraphs.recommendations.experiments.definition import Experiment, ExperimentKind
from subgraphs.recommendations.experiments.results import ExperimentResults, ProfileFigures, read_results
from subgraphs.recommendations.services.edit_experiments import EditExperiments
from subgraphs.recommendations.services.measure_experiments import MeasureExperiments
from tests.support.devices import TV

FIELDS = """__typename ... on ExperimentSuccess { experiment { id version state layer kind traffic startedAt stoppedAt
  arms { name weight values { parameter value } } } } ... on InvalidInput { message } ... on NotPermitted { message }"""
SAVE = f"mutation ($input: ExperimentInput!) {{ saveExperiment(input: $input) {{ {FIELDS} }} }}"
START = f"mutation ($id: ID!) {{ startExperiment(id: $id) {{ {FIELDS} }} }}"
STOP = f"mutation ($id: ID!) {{ stopExperiment(id: $id) {{ {FIELDS} }} }}"
REMOVE = """mutation ($id: ID!) { removeExperiment(id: $id) { __typename
  ... on RemoveExperimentSuccess { wasThere } ... on InvalidInput { message } } }"""
CHOOSE = """mutation ($id: ID!, $arm: String) { chooseExperimentArm(id: $id, arm: $arm) { __typename
  ... on ChooseExperimentArmSuccess { arm } ... on InvalidInput { message } ... on NotPermitted { message } } }"""
ALL = "{ experiments { id state version formFactors } }"
PAGE = """query ($device: DeviceInput!) { page(kind: HOME, device: $device) { id revision sections(first: 50) {
  pageInfo { endCursor } edges { cursor node { key kind tracking items(first: 30) { edges { node {
  tracking title { id } ... on TitleCard { reason { text becauseOf { id } } } } } } } } } } }"""
AFTER = """query ($device: DeviceInput!, $after: String) { page(kind: HOME, device: $device) { revision
  sections(first: 3, after: $after) { edges { cursor node { id key } } } } }"""
REPORT = """mutation ($cards: [InteractionInput!]!) { reportInteractions(interactions: $cards) {
  ... on ReportInteractionsSuccess { takenCount } } }"""

VARIETY = {
    "id": "variety",
    "description": "More variety makes pages better.",
    "arms": [
        {"name": "control", "values": []},
        {"name": "less", "values": [{"parameter": "page.coverage-worth", "value": "0"}]},
    ],
    "traffic": 950,
    "primaryMetric": "hours",
    "guardrailMetrics": ["refusals"],
}
DRAFT = {
    **VARIETY,
    "id": "draft",
    "kind": "INTERLEAVED",
    "arms": [
        {"name": "blend", "values": []},
        {"name": "content", "values": [{"parameter": "top-picks.ranker", "value": "CONTENT"}]},
    ],
}


HOLDOUT = Experiment("holdout", "", ExperimentKind.AB, (), 0, "hours", version=10)
HOLDOUT_CODES = {tracking_code(HOLDOUT, arm) for arm in ("held-out", "everybody-else")}


class Desk:
    """Experiments of one subgraph, as an experimenter and as the counting group meet them."""

    def __init__(self, subgraph: Any, experimenter: Viewer) -> None:
        self.subgraph = subgraph
        self.experimenter = experimenter
        self.measures = ValkeyExperimentMeasures(subgraph.redis)
        definitions = EditExperiments(SqlExperimentStore(subgraph.models._titles._engine), holdout=10)
        self.definitions = definitions
        self.handlers = MeasureExperiments(
            definitions, self.measures, ValkeyTasteStore(subgraph.redis), subgraph.clock
        ).handlers()
        self.numbers = 0

    async def save(self, given: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        return await self.do(SAVE, "saveExperiment", {"input": {**given, **changes}})

    async def run(self, given: Mapping[str, Any], **changes: Any) -> Experiment:
        saved = await self.save(given, **changes)
        assert saved["__typename"] == "ExperimentSuccess", saved
        await self.do(START, "startExperiment", {"id": given["id"]})
        return await self.definitions.find(str(given["id"]))

    async def do(self, query: str, field: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.subgraph.data(query, variables, self.experimenter))[field]
        return answer

    async def agree(self, profile_ids: Sequence[str], *, granted: bool = True, purpose: str = "ANALYTICS") -> None:
        data = {"accountId": "acc_1", "profileIds": profile_ids, "purpose": purpose, "textVersion": 1}
        self.subgraph.clock.advance(timedelta(seconds=1))
        await self.subgraph.tell("accounts", "consent.changed", {**data, "granted": granted})
        await self.count("accounts", "consent.changed", {**data, "granted": granted})

    async def count(self, topic: str, kind: str, data: dict[str, Any], event_id: str = "") -> None:
        """As the counting group hears it."""
        self.numbers += 1
        event = Event(topic, kind, data, self.subgraph.clock.now(), event_id or f"{self.numbers}-9")
        await self.handlers[topic](event)

    async def watch(self, profile_id: str, title_id: str, position_s: float, at: datetime | None = None) -> None:
        data = {
            "profileId": profile_id,
            "accountId": "acc_1",
            "titleId": title_id,
            "positionSeconds": position_s,
            "durationSeconds": 5_000.0,
            "completed": position_s >= 4_500,
            "occurredAt": (at or self.subgraph.clock.now()).isoformat(),
        }
        await self.count("viewing", "title.watched", data)

    async def figures(self, experiment: Experiment) -> list[ProfileFigures]:
        return [each async for each in self.measures.figures(experiment)]

    async def results(self, experiment: Experiment) -> ExperimentResults:
        return read_results(experiment, await self.figures(experiment), self.subgraph.clock.now())


@pytest.fixture
async def desk(subgraph: Any, viewer: Viewer) -> Desk:
    """Without titles: pages are empty."""
    scopes = frozenset({"experimenter"})
    return Desk(subgraph, replace(viewer, account_id="acc_lab", profile_id=None, scopes=scopes))


@pytest.fixture
async def stocked(desk: Desk, catalogue_snapshots: Any) -> Desk:
    """With titles to show."""
    await desk.subgraph.tell_titles(catalogue_snapshots)
    return desk


async def page(desk: Desk, viewer: Viewer) -> dict[str, Any]:
    loaded: dict[str, Any] = (await desk.subgraph.data(PAGE, {"device": TV}, viewer))["page"]
    return loaded


def sections_of(loaded: Mapping[str, Any]) -> list[Any]:
    """What is shown, without what tells experiments."""
    return [
        (each["node"]["key"], [card["node"]["title"]["id"] for card in each["node"]["items"]["edges"]])
        for each in loaded["sections"]["edges"]
    ]


def codes_of(loaded: Mapping[str, Any]) -> set[str]:
    """Of experiments that have a definition."""
    found = {each["node"]["tracking"].rpartition("~")[2] for each in loaded["sections"]["edges"]}
    return {code for codes in found if "." not in codes for code in codes.split(",")} - HOLDOUT_CODES


async def exposures(redis: Redis) -> list[dict[str, Any]]:
    entries: Any = await redis.xrange(stream_key("experiments"))
    found = [json.loads(fields[b"data"]) for _, fields in entries]
    return [each for each in found if each["experimentId"] != "holdout"]


async def test_from_a_definition_to_a_verdict(stocked: Desk, viewer: Viewer, redis: Redis) -> None:
    """Saved and started; pages differ by arm and by nothing else; who met it counts; results find what was planted."""
    profiles = [replace(viewer, profile_id=f"prof_{number}") for number in range(24)]
    ids = [str(each.profile_id) for each in profiles]
    await stocked.agree(ids)
    before = {each.profile_id: await page(stocked, each) for each in profiles[:3]}
    experiment = await stocked.run(VARIETY)
    assigner = await stocked.definitions.assigner(stocked.subgraph.clock.now())
    arms: dict[str, str] = {}
    pages: dict[str, set[str]] = {}
    for each in profiles:
        loaded = await page(stocked, each)
        await page(stocked, each)
        assigned = assigner.assign(each, "TV", stocked.subgraph.clock.now())
        names = [found.arm.name for found in assigned if found.arm and found.experiment.id == "variety"]
        name = names[0] if names else ""
        pages.setdefault(name, set()).add(json.dumps(sections_of(loaded)))
        assert codes_of(loaded) == ({tracking_code(experiment, name)} if name else set())
        if name:
            arms[str(each.profile_id)] = name

    # Nobody of them has taste, so that a page depends on the arm alone; the holdouts see what the control sees.
    assert all(len(each) == 1 for each in pages.values())
    assert pages["control"] == {json.dumps(sections_of(each)) for each in before.values()} != pages["less"]
    assert pages.get("", pages["control"]) == pages["control"]
    told = await exposures(redis)
    assert {each["profileId"]: each["arm"] for each in told} == arms
    assert len(told) == len(arms)

    for profile_id, arm in arms.items():
        for step in range(1, 6):
            stocked.subgraph.clock.advance(timedelta(minutes=10))
            if arm == "less" or step < 3:
                await stocked.watch(profile_id, "mov_001", step * 590.0 + hash_part(profile_id))
    results = await stocked.results(experiment)
    hours = results.metrics[0]

    assert sum(results.profile_counts.values()) == len(arms)
    assert hours.metric.name == "hours"
    assert hours.arms[1].comparison is not None
    assert hours.arms[1].comparison.low > 0
    assert not results.is_withheld

    whole = await stocked.results(await stocked.definitions.find("holdout"))
    assert sum(whole.profile_counts.values()) == len(profiles)
    assert whole.profile_counts["held-out"] == sum(assigner.is_held_out(each) for each in ids)


def hash_part(profile_id: str) -> float:
    """So that profiles differ a little."""
    return float(int(profile_id.removeprefix("prof_")) % 7)


async def test_who_is_not_counted_sees_the_defaults(stocked: Desk, viewer: Viewer, redis: Redis) -> None:
    """Without consent to analytics, with personalisation refused, kids profiles, and nobody at all."""
    await stocked.run(VARIETY)
    await stocked.agree(["prof_refuses", "prof_kid"])
    await stocked.agree(["prof_refuses"], granted=False, purpose="PERSONALISATION")

    for who in (
        replace(viewer, profile_id="prof_silent"),
        replace(viewer, profile_id="prof_refuses"),
        replace(viewer, profile_id="prof_kid", is_kids=True),
        replace(viewer, profile_id=None),
    ):
        assert codes_of(await page(stocked, who)) == set()
    assert await exposures(redis) == []


async def in_experiment(desk: Desk, viewer: Viewer, **changes: Any) -> Viewer:
    """A viewer that the running experiments have not held out, with consent."""
    for number in range(50):
        found = replace(viewer, profile_id=f"prof_{number}", **changes)
        assigner = await desk.definitions.assigner(desk.subgraph.clock.now())
        assigned = assigner.assign(found, "TV", desk.subgraph.clock.now())
        if any(each.experiment.id != "holdout" for each in assigned):
            await desk.agree([str(found.profile_id)])
            return found
    raise AssertionError("all are held out")


async def test_exposures_are_told_once_a_day(desk: Desk, viewer: Viewer, redis: Redis) -> None:
    """Also by another process, and again on the next day."""
    await desk.run(VARIETY)
    who = await in_experiment(desk, viewer)
    for _ in range(3):
        await page(desk, who)
        desk.subgraph.clock.advance(timedelta(minutes=11))
    first = await exposures(redis)
    desk.subgraph.clock.advance(timedelta(days=1))
    await page(desk, who)

    assert len(first) == 1
    assert len(await exposures(redis)) == 2


async def test_events_count_once_and_only_after_the_exposure(desk: Desk, viewer: Viewer) -> None:
    """Twice, late, before: what was skipped is not watched, a title is begun and finished once, days are days."""
    experiment = await desk.run(VARIETY)
    who = await in_experiment(desk, viewer)
    profile_id = str(who.profile_id)
    early = desk.subgraph.clock.now() - timedelta(minutes=5)
    await page(desk, who)
    start = desk.subgraph.clock.now()
    watched = [(0, 30.0), (1, 90.0), (2, 4_600.0), (3, 4_650.0), (60 * 24, 4_700.0)]
    await desk.watch(profile_id, "mov_001", 10.0, early)
    for _ in range(2):
        for minutes, position_s in watched:
            await desk.watch(profile_id, "mov_001", position_s, start + timedelta(minutes=minutes))
    card = {"profileId": profile_id, "titleId": "mov_001", "tracking": "r.s.t", "occurredAt": start.isoformat()}
    for _ in range(2):
        await desk.count("interactions", "card.shown", card, "77-1")
        await desk.count("interactions", "card.clicked", card, "77-2")
        await desk.count("feedback", "list.changed", {"profileId": profile_id, "titleId": "mov_001", "inList": True})
        thumb = {"profileId": profile_id, "titleId": "mov_001", "thumb": "DOWN"}
        await desk.count("feedback", "title.thumbed", thumb)
    (found,) = await desk.figures(experiment)

    # 30 s of a beginning, 60 s, then no more than twice the minute that had passed, 50 s and 50 s.
    assert found.figures["watched-s"] == pytest.approx(30 + 60 + 120 + 50 + 50)
    assert [found.figures[each] for each in ("begun", "completed", "days")] == [1, 1, 2]
    assert [found.figures[each] for each in ("shown", "opened", "listed", "refused")] == [1, 1, 1, 1]


async def test_a_profile_that_met_nothing_leaves_nothing(desk: Desk, redis: Redis) -> None:
    """Its events are heard and forgotten."""
    await desk.run(VARIETY)
    await desk.watch("prof_1", "mov_001", 100.0)
    await desk.count("feedback", "list.changed", {"profileId": "prof_1", "titleId": "mov_001", "inList": True})

    assert await redis.keys("marquee:measure*") == []


async def test_who_takes_consent_back_is_forgotten(desk: Desk, viewer: Viewer, redis: Redis) -> None:
    """At once, and sees the defaults; an erasure finds every key of a profile, and an export shows what was counted."""
    experiment = await desk.run(VARIETY)
    who = await in_experiment(desk, viewer)
    await page(desk, who)
    await desk.watch(str(who.profile_id), "mov_001", 100.0)
    personal = ValkeyPersonalData(redis, PERSONAL_KEYS)
    subject = Subject(account_id=AccountId("acc_1"), profile_ids=(ProfileId(str(who.profile_id)),))
    exported = (await personal.export_personal(subject))["keys:marquee:measures:"]

    await desk.agree([str(who.profile_id)], granted=False)

    assert any(name.startswith("x:variety") for name in exported[0]["value"])  # type: ignore[attr-defined]
    assert await desk.figures(experiment) == []
    assert codes_of(await page(desk, who)) == set()
    assert await redis.keys("marquee:measure*") == []


@pytest.mark.parametrize("purpose", ["ANALYTICS", "PERSONALISATION"])
async def test_nothing_is_kept_anew_of_who_took_consent_back(
    desk: Desk, viewer: Viewer, redis: Redis, purpose: str
) -> None:
    """Also while the group that makes pages has not heard of it: it may be behind the one that counts."""
    await desk.run(VARIETY)
    who = await in_experiment(desk, viewer)
    await page(desk, who)
    data = {"accountId": "acc_1", "profileIds": [str(who.profile_id)], "purpose": purpose, "textVersion": 1}
    desk.subgraph.clock.advance(timedelta(seconds=1))
    await desk.count("accounts", "consent.changed", {**data, "granted": False})
    desk.subgraph.clock.advance(timedelta(days=1))
    assert codes_of(await page(desk, who)) == set()
    assert await redis.keys("marquee:measure*") == []


async def test_a_row_of_two_rankers(stocked: Desk, viewer: Viewer, redis: Redis) -> None:
    """Each card says by a code whose it is; opening one through the graph is a point for its team."""
    experiment = await stocked.run(DRAFT)
    who = await in_experiment(stocked, viewer)
    for title_id in ("mov_000", "mov_006", "mov_012"):
        await stocked.subgraph.watch(title_id, 1.0, str(who.profile_id))
    loaded = await page(stocked, who)
    row = next(each["node"] for each in loaded["sections"]["edges"] if each["node"]["key"] == "top-picks")
    cards = [each["node"] for each in row["items"]["edges"]]
    by_code = {tracking_code(experiment, arm.name): arm.name for arm in experiment.arms}
    codes = [each["tracking"].split("~")[1][:8] for each in cards]
    # One card may be drawn from the new titles, for nobody.
    teams = [by_code.get(code, "") for code in codes]

    assert len({each["title"]["id"] for each in cards}) == len(cards) >= 8
    # What is in sight is drafted for itself, and then what is not.
    for shown in (teams[:10], teams[10:]):
        part = [team for team in shown if team]
        assert all(set(part[start : start + 2]) == {"blend", "content"} for start in range(0, len(part) - 1, 2))
    again = await page(stocked, who)
    assert again["revision"] == loaded["revision"]

    opened = cards[teams.index("content")]
    card = {"titleId": opened["title"]["id"], "kind": "OPENED", "tracking": opened["tracking"]}
    await stocked.subgraph.data(REPORT, {"cards": [card]}, who)
    async with asyncio.timeout(10):
        # By the running subgraph's own group, from the stream.
        while not (found := await stocked.figures(experiment))[0].points["content"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert found[0].points == {"blend": 0.0, "content": 1.0}
    results = await stocked.results(experiment)
    assert results.interleaved is not None
    assert (results.interleaved.test.first, results.interleaved.test.second) == (0, 1)


async def test_reasons_of_a_ranker_s_picks_are_its_own(stocked: Desk, viewer: Viewer) -> None:
    """An arm that orders Top picks by one model shows another row in the same place."""
    await stocked.run({**VARIETY, "id": "ranker", "arms": DRAFT["arms"]})
    tester = replace(viewer, scopes=frozenset({"tester"}))
    for title_id in ("mov_000", "mov_006", "mov_012"):
        await stocked.subgraph.watch(title_id, 1.0)
    plain = await page(stocked, viewer)
    await stocked.subgraph.data(CHOOSE, {"id": "ranker", "arm": "content"}, tester)
    changed = await page(stocked, tester)
    keys = [[key for key, _ in sections_of(each)] for each in (plain, changed)]

    assert dict(sections_of(plain))["top-picks"] != dict(sections_of(changed))["top-picks"]
    assert keys[0].index("top-picks") == keys[1].index("top-picks")


async def test_a_revision_stays_when_experiments_change(stocked: Desk, viewer: Viewer) -> None:
    """Paging goes on in the page that was begun, and the next page has another revision."""
    await stocked.run(VARIETY)
    found = [await in_experiment(stocked, viewer)]
    who = found[0]
    first = (await stocked.subgraph.data(AFTER, {"device": TV}, who))["page"]
    cursor = first["sections"]["edges"][-1]["cursor"]
    rest = (await stocked.subgraph.data(AFTER, {"device": TV, "after": cursor}, who))["page"]
    await stocked.do(STOP, "stopExperiment", {"id": "variety"})

    later = (await stocked.subgraph.data(AFTER, {"device": TV, "after": cursor}, who))["page"]
    fresh = (await stocked.subgraph.data(AFTER, {"device": TV}, who))["page"]

    assert later["sections"] == rest["sections"]
    assert fresh["revision"] != first["revision"]


async def test_testers_see_what_they_choose_and_count_nowhere(stocked: Desk, viewer: Viewer, redis: Redis) -> None:
    """Only with the scope; only arms that there are, of what runs; without arm it is as before."""
    tester = replace(viewer, scopes=frozenset({"tester"}))
    await stocked.save(VARIETY)

    async def choose(arm: str | None, who: Viewer = tester) -> dict[str, Any]:
        answer: dict[str, Any] = (await stocked.subgraph.data(CHOOSE, {"id": "variety", "arm": arm}, who))[
            "chooseExperimentArm"
        ]
        return answer

    assert "is not running" in (await choose("less"))["message"]
    await stocked.do(START, "startExperiment", {"id": "variety"})
    assert "has no arm 'none'" in (await choose("none"))["message"]
    assert (await choose("less", viewer))["__typename"] == "NotPermitted"
    experiment = await stocked.definitions.find("variety")
    for arm in ("less", "control"):
        await choose(arm)
        assert codes_of(await page(stocked, tester)) == {tracking_code(experiment, arm)}
    await choose(None)
    assert codes_of(await page(stocked, tester)) == set()
    assert await exposures(redis) == []
    assert await stocked.figures(experiment) == []


async def test_a_changed_definition_is_another_version(desk: Desk) -> None:
    """Not while it runs; started again it begins anew; what is the same is the same version."""
    first = await desk.save(VARIETY)
    same = await desk.save(VARIETY)
    changed = await desk.save(VARIETY, description="In other words.")
    started = await desk.do(START, "startExperiment", {"id": "variety"})
    refused = await desk.save(VARIETY, traffic=10)
    kept = await desk.do(REMOVE, "removeExperiment", {"id": "variety"})
    stopped = await desk.do(STOP, "stopExperiment", {"id": "variety"})
    again = await desk.do(START, "startExperiment", {"id": "variety"})

    versions = [each["experiment"]["version"] for each in (first, same, changed, started, stopped, again)]
    assert versions == [1, 1, 2, 2, 2, 3]
    assert [each["experiment"]["state"] for each in (first, started, stopped)] == ["DRAFT", "RUNNING", "STOPPED"]
    assert "is running; stop it first" in refused["message"]
    assert "is running; stop it first" in kept["message"]
    await desk.do(STOP, "stopExperiment", {"id": "variety"})
    assert (await desk.do(REMOVE, "removeExperiment", {"id": "variety"}))["wasThere"]
    assert not (await desk.do(REMOVE, "removeExperiment", {"id": "variety"}))["wasThere"]


async def test_one_that_was_removed_does_not_go_on_under_its_name(desk: Desk, viewer: Viewer) -> None:
    """What profiles did in it is kept for half a year, and is no result of another one."""
    first = await desk.run(VARIETY)
    await page(desk, await in_experiment(desk, viewer))
    assert len(await desk.figures(first)) == 1
    await desk.do(STOP, "stopExperiment", {"id": "variety"})
    await desk.do(REMOVE, "removeExperiment", {"id": "variety"})

    second = await desk.run(VARIETY)

    assert (first.version, second.version) == (1, 2)
    assert await desk.figures(second) == []


async def test_a_layer_that_is_full_says_who_fills_it(desk: Desk) -> None:
    """Another layer has room; so has this one when the other stops, or its time is over."""
    ends = (desk.subgraph.clock.now() + timedelta(days=1)).isoformat()
    await desk.run(VARIETY, endsAt=ends)
    await desk.save(VARIETY, id="other", traffic=500)
    refused = await desk.do(START, "startExperiment", {"id": "other"})
    drafted = await desk.run(DRAFT)
    desk.subgraph.clock.advance(timedelta(days=2))
    later = await desk.do(START, "startExperiment", {"id": "other"})

    assert "running there: variety (950)" in refused["message"]
    assert drafted.state == "RUNNING"
    assert later["experiment"]["state"] == "RUNNING"


async def test_only_experimenters_run_experiments(desk: Desk, viewer: Viewer) -> None:
    """Others are told what they lack; unknown ones are named with what there is."""
    for query, variables in ((SAVE, {"input": VARIETY}), (START, {"id": "variety"}), (STOP, {"id": "variety"})):
        (answer,) = (await desk.subgraph.data(query, variables, viewer)).values()
        assert "scope experimenter or studio" in answer["message"]
    assert (await desk.subgraph.ask(ALL, None, viewer))["errors"][0]["extensions"]["code"] == "PERMISSION_DENIED"
    await desk.save(VARIETY, formFactors=["TV"])
    unknown = await desk.do(START, "startExperiment", {"id": "varieties"})
    listed = (await desk.subgraph.data(ALL, None, desk.experimenter))["experiments"]

    assert "no experiment 'varieties'; known are variety" in unknown["message"]
    assert listed == [{"id": "variety", "state": "DRAFT", "version": 1, "formFactors": ["TV"]}]


async def test_wrong_values_are_told_as_they_came(desk: Desk) -> None:
    """Through the graph values are texts."""
    bad = [{"name": "a", "values": [{"parameter": "page.because-rows", "value": "many"}]}, {"name": "b"}]

    assert "page.because-rows is 'many'" in (await desk.save(VARIETY, arms=bad))["message"]
    assert (await desk.subgraph.data(ALL, None, desk.experimenter))["experiments"] == []


async def test_definitions_of_another_version_of_the_program_are_left_alone(desk: Desk, viewer: Viewer) -> None:
    """One whose parameter this one does not know puts nobody anywhere, and can be stopped."""
    running = await desk.run(VARIETY)
    store = SqlExperimentStore(desk.subgraph.models._titles._engine)
    newer = replace(running, arms=(running.arms[0], replace(running.arms[1], values={"page.sparkle": 1})))
    await store.change("variety", "acc_lab", desk.subgraph.clock.now(), lambda _: newer)
    desk.subgraph.clock.advance(timedelta(seconds=6))
    assigner = await desk.definitions.assigner(desk.subgraph.clock.now())

    assert assigner.assign(replace(viewer, profile_id="prof_1"), "TV", desk.subgraph.clock.now()) == ()
    assert (await desk.do(STOP, "stopExperiment", {"id": "variety"}))["experiment"]["state"] == "STOPPED"


async def test_while_the_store_is_away_the_last_definitions_hold(
    desk: Desk, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a page is served when nobody can be told that it was met."""
    await desk.run(VARIETY)
    who = await in_experiment(desk, viewer)

    async def away(*_: Any) -> Any:
        raise ServiceError(ErrorKind.UNAVAILABLE, "away")

    monkeypatch.setattr(SqlExperimentStore, "all_experiments", away)
    monkeypatch.setattr(ValkeyExperimentMeasures, "expose", away)
    desk.subgraph.clock.advance(timedelta(minutes=1))
    assigner = await desk.definitions.assigner(desk.subgraph.clock.now())
    loaded = await page(desk, who)

    assert [each.id for each in assigner.experiments] == ["variety"]
    assert loaded["revision"]
