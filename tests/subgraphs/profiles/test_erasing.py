"""The erasure's saga: killed (-9) before and after every single action and mark, it ends with nothing left, once resumed."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from common.clock import FakeClock
from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.ids import AccountId, ProfileId
from subgraphs.kernel.migrations import upgrade
from subgraphs.kernel.personal_data import CountsByPlace, RecordsByPlace, Subject
from subgraphs.kernel.rate_limit import InMemoryRateLimiter
from subgraphs.kernel.sql import open_engine, reading, sqlite_url
from subgraphs.profiles.adapters.argon2_hasher import Argon2PasswordHasher
from subgraphs.profiles.adapters.sqlalchemy.personal_data import personal_data_of
from subgraphs.profiles.adapters.sqlalchemy.privacy import SqlPrivacyStore
from subgraphs.profiles.adapters.sqlalchemy.tables import MIGRATIONS, OUTBOX
from subgraphs.profiles.api.context import ProfilesServices
from subgraphs.profiles.app import build_services
from subgraphs.profiles.domain.accounts import Account, PlanId
from subgraphs.profiles.domain.privacy import PrivacyRequest, PrivacyRequestId, RequestKind, RequestState
from subgraphs.profiles.ports import Mail
from subgraphs.profiles.services.erasing import Erasing, ErasureNotes, NotYet, erasure_steps
from subgraphs.profiles.services.exporting import Exporting
from subgraphs.profiles.services.holders import OwnPersonalData
from subgraphs.profiles.services.privacy_rounds import MAX_EXPORT_ATTEMPTS, PrivacyRounds
from subgraphs.profiles.services.signing_in import SignUp
from subgraphs.profiles.settings import ProfilesSettings

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
REQUEST = PrivacyRequestId("prq_1")


@dataclass
class FileHolder:
    """Another service, as a file of ids that it holds: what is erased from it survives its caller's death."""

    name: str
    path: Path
    is_away: bool = False

    async def export(self, subject: Subject) -> RecordsByPlace:
        self._answer()
        return {"file:notes": [{"id": each} for each in self._ids() if each in subject.ids]}

    async def erase(self, subject: Subject) -> CountsByPlace:
        self._answer()
        ids = self._ids()
        kept = [each for each in ids if each not in subject.ids]
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(kept))
        draft.replace(self.path)
        return {"file:notes": len(ids) - len(kept)}

    async def count(self, subject: Subject) -> CountsByPlace:
        self._answer()
        return {"file:notes": sum(each in subject.ids for each in self._ids())}

    async def scrub(self, subject: Subject) -> None:
        self._answer()

    def _ids(self) -> list[str]:
        read: list[str] = json.loads(self.path.read_text())
        return read

    def _answer(self) -> None:
        if self.is_away:
            raise ServiceError(ErrorKind.UNAVAILABLE, f"the {self.name} service can't be reached")


@dataclass
class FileStreams:
    """The event streams, as such a file."""

    holder: FileHolder

    async def erase(self, ids: Collection[str], *, spare_unheard: bool) -> Mapping[str, int]:
        return await self.holder.erase(_subject(ids))

    async def count(self, ids: Collection[str]) -> Mapping[str, int]:
        return await self.holder.count(_subject(ids))

    async def scrub(self) -> None:
        return


def _subject(ids: Collection[str]) -> Subject:
    account_id, *profile_ids = ids
    return Subject(AccountId(account_id), tuple(ProfileId(each) for each in profile_ids))


@dataclass
class Postbox:
    """The mail server; what it took, by recipient."""

    is_away: bool = False
    taken: list[str] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        if self.is_away:
            raise ServiceError(ErrorKind.UNAVAILABLE, "the mail server can't be reached")
        self.taken.append(mail.recipient)


@dataclass
class Deadly:
    """Counts the actions that pass through it, and kills the process at one of them: before it, or after it."""

    deadly: int | None = None
    count: int = 0

    def around(self, target: Any, names: Collection[str]) -> Any:
        """The target, with these methods watched."""
        for name in names:
            object.__setattr__(target, name, self._watched(getattr(target, name)))
        return target

    def _watched(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(*arguments: Any, **options: Any) -> Any:
            self._pass()
            outcome = await method(*arguments, **options)
            self._pass()
            return outcome

        return watched

    def _pass(self) -> None:
        self.count += 1
        if self.count == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class World:
    """A folder with profiles' store and the other services' files."""

    folder: Path
    settings: ProfilesSettings
    hasher: Argon2PasswordHasher
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    away: frozenset[str] = frozenset()
    postbox: Postbox = field(default_factory=Postbox)

    @functools.cached_property
    def _engine(self) -> AsyncEngine:
        return open_engine(sqlite_url(self.folder / "profiles.sqlite"))

    def engine(self) -> AsyncEngine:
        """One that keeps its compiled statements when it is disposed of; each event loop has its own face of it."""
        return AsyncEngine(self._engine.sync_engine)

    def services(self, engine: AsyncEngine) -> ProfilesServices:
        limiter = InMemoryRateLimiter()
        return build_services(self.settings, engine, self.hasher, limiter, lambda: None, sender=self.postbox)

    async def send_mails(self, engine: AsyncEngine) -> None:
        await self.services(engine).mailing.send_due(self.clock.now())

    def rounds(self, engine: AsyncEngine, deadly: Deadly | None = None) -> PrivacyRounds:
        services = self.services(engine)
        holders: list[Any] = [
            FileHolder(name, self.folder / f"{name}.json", name in self.away) for name in ("playback", "titles")
        ]
        own = OwnPersonalData("profiles", [_Watchable(personal_data_of(engine))])
        streams = FileStreams(FileHolder("streams", self.folder / "streams.json"))
        store: Any = SqlPrivacyStore(engine)
        if deadly is not None:
            for holder in holders:
                deadly.around(holder, ("erase", "count", "scrub"))
            deadly.around(own.stores[0], ("erase_personal", "count_personal", "scrub"))
            deadly.around(streams, ("erase", "count", "scrub"))
            deadly.around(store, ("close_account", "step_done", "forget", "finish_erasure", "put_off"))
        erasing = Erasing(
            store=store,
            holders=[*holders, own],
            streams=streams,
            notices=services.notices,
            accounts=services.accounts,
            clock=self.clock,
            notes=ErasureNotes(settle=timedelta(0), lease=LEASE),
            on_commit=lambda: None,
        )
        return PrivacyRounds(
            store=store,
            exporting=Exporting(store, [*holders, own], timedelta(days=7)),
            erasing=erasing,
            accounts=services.accounts,
            notices=services.notices,
            clock=self.clock,
            lease=LEASE,
            awake=asyncio.Event(),
        )

    async def settle_in(self, kind: RequestKind) -> Subject:
        """Two accounts; the first one has asked."""
        engine = self.engine()
        await upgrade(engine, MIGRATIONS)
        services = self.services(engine)
        subjects = []
        for name in ("ada", "bob"):
            wanted = SignUp(f"{name}@example.org", "four quiet otters", "FI", PlanId.BASIC, name)
            account = await services.signing_in.register(wanted, NOW)
            assert isinstance(account, Account)
            subjects.append(await SqlPrivacyStore(engine).subject(account.id))
        ids = [each for subject in subjects for each in subject.ids]
        for name in ("playback", "titles", "streams"):
            (self.folder / f"{name}.json").write_text(json.dumps(ids))
        request = PrivacyRequest(REQUEST, kind, subjects[0].account_id, (), (), NOW, NOW)
        assert await SqlPrivacyStore(engine).ask(request) == request
        await engine.dispose()
        return subjects[0]

    async def left(self, subject: Subject) -> list[str]:
        """Files below the folder in which anything of the subject is."""
        needles = [each.encode() for each in (*subject.ids, *subject.emails)]
        return [
            path.name
            for path in sorted(self.folder.iterdir())
            if any(needle in path.read_bytes() for needle in needles)
        ]


class _Watchable:
    """A store whose methods can be replaced."""

    def __init__(self, store: Any) -> None:
        self.export_personal = store.export_personal
        self.erase_personal = store.erase_personal
        self.count_personal = store.count_personal
        self.scrub = store.scrub


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "world"
    folder.mkdir()
    hasher = Argon2PasswordHasher(memory_kib=8, passes=1, lanes=1, threads=1, max_waiting=10)
    return World(folder, ProfilesSettings.load(), hasher)


async def finish(world: World, *, deadly: Deadly | None = None) -> PrivacyRequest:
    """Run rounds, an hour after each other, until the request is over."""
    engine = world.engine()
    try:
        for _ in range(5):
            await world.rounds(engine, deadly).run_due()
            request = await SqlPrivacyStore(engine).request(REQUEST)
            assert request is not None
            if request.state is not RequestState.WAITING:
                return request
            await world.send_mails(engine)
            world.clock.advance(timedelta(hours=1))
        raise AssertionError(request)
    finally:
        await engine.dispose()


def in_a_process(work: Callable[[], Awaitable[Any]]) -> int:
    """Run it in a child; the number of the signal that ended it, 0 for none."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            asyncio.run(work())  # type: ignore[arg-type]  # coroutines are what it is given
            status = 0
        finally:
            os._exit(status)
    _, outcome = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(outcome) in {0, -signal.SIGKILL}
    return os.WTERMSIG(outcome) if os.WIFSIGNALED(outcome) else 0


def test_killed_at_any_point_it_ends_with_nothing_left(world: World) -> None:
    """Before and after each service's erasure, count and scrub, each mark, the closing and the certificate."""
    subject = asyncio.run(world.settle_in(RequestKind.ERASURE))
    template = world.folder.rename(world.folder.with_name("template"))
    point = 0
    while True:
        point += 1
        shutil.copytree(template, world.folder)
        world.clock = FakeClock(NOW)
        killed = in_a_process(functools.partial(finish, world, deadly=Deadly(deadly=point)))
        world.clock.advance(timedelta(hours=1))
        request = asyncio.run(finish(world))
        assert (request.state, request.account_id, request.emails) == (RequestState.DONE, None, ()), point
        assert asyncio.run(world.left(subject)) == [], point
        assert json.loads((world.folder / "playback.json").read_text()) != [], "the neighbour keeps what is its own"
        shutil.rmtree(world.folder)
        if killed == 0:
            break
    # Each step's action and its mark, before and after; and what stands beside them.
    assert point > 4 * len(erasure_steps(["playback", "titles", "profiles"])) - 10


async def test_a_service_that_is_away_delays_and_never_skips(world: World) -> None:
    """The erasure waits for it, says what it waits for, and is whole when it is back."""
    subject = await world.settle_in(RequestKind.ERASURE)
    engine = world.engine()
    world.away = frozenset({"titles"})
    await world.rounds(engine).run_due()
    request = await SqlPrivacyStore(engine).request(REQUEST)
    assert request is not None
    assert (request.state, request.steps) == (RequestState.WAITING, ("close", "erase:playback"))
    assert request.problem == "the titles service can't be reached"
    await engine.dispose()

    world.away = frozenset()
    world.clock.advance(timedelta(hours=1))
    assert (await finish(world)).state is RequestState.DONE
    assert await world.left(subject) == []


async def test_the_services_are_told_once(world: World) -> None:
    """`account.erased` goes out with its mark, and the sweep leaves nothing of it behind."""
    subject = await world.settle_in(RequestKind.ERASURE)
    engine = world.engine()
    rounds = world.rounds(engine)
    request = await rounds.store.claim(NOW, LEASE)
    assert request is not None
    told: list[Any] = []
    step_done = rounds.store.step_done

    async def watched(request_id: Any, step: str, counts: Any, leased_until: Any, events: Any = ()) -> None:
        told.extend(events)
        await step_done(request_id, step, counts, leased_until, events)

    rounds.store.step_done = watched  # type: ignore[method-assign]
    assert isinstance(await rounds.erasing.run(request), NotYet)
    await world.send_mails(engine)
    request = await SqlPrivacyStore(engine).request(REQUEST)
    assert request is not None
    assert await rounds.erasing.run(request) is None
    [event] = told
    assert (event.kind, event.data) == (
        "account.erased",
        {"accountId": subject.account_id, "profileIds": list(subject.profile_ids)},
    )
    async with reading(engine) as connection:
        waiting = (await connection.execute(select(OUTBOX.table.c.data))).scalars().all()
    assert all(subject.account_id not in json.dumps(data) for data in waiting)
    await engine.dispose()


async def test_it_waits_until_old_tokens_are_dead(world: World) -> None:
    """What a token from before could still write is swept up afterwards."""
    await world.settle_in(RequestKind.ERASURE)
    engine = world.engine()
    rounds = world.rounds(engine)
    slow = Erasing(
        store=rounds.store,
        holders=rounds.erasing.holders,
        streams=rounds.erasing.streams,
        notices=rounds.notices,
        accounts=rounds.accounts,
        clock=world.clock,
        notes=ErasureNotes(settle=timedelta(minutes=20), lease=LEASE),
        on_commit=lambda: None,
    )
    request = await rounds.store.claim(NOW, LEASE)
    assert request is not None
    assert isinstance(await slow.run(request), NotYet)
    await world.send_mails(engine)
    request = await rounds.store.request(REQUEST)
    assert request is not None
    assert await slow.run(request) == NotYet(NOW + timedelta(minutes=20))
    await engine.dispose()


async def test_the_mail_leaves_before_its_address_is_gone(world: World) -> None:
    """While the mail server is away the account's own rows stay, and only those; then the mail goes out, once."""
    subject = await world.settle_in(RequestKind.ERASURE)
    engine = world.engine()
    await world.send_mails(engine)
    world.postbox.taken.clear()
    world.postbox.is_away = True
    for _ in range(3):
        await world.rounds(engine).run_due()
        await world.send_mails(engine)
        request = await SqlPrivacyStore(engine).request(REQUEST)
        assert request is not None
        assert request.steps == ("close", "erase:playback", "erase:titles")
        world.clock.advance(timedelta(minutes=10))
    left = await world.left(subject)
    assert "profiles.sqlite" in left
    assert not {"playback.json", "titles.json"} & set(left)

    world.postbox.is_away = False
    await world.send_mails(engine)
    await engine.dispose()
    assert (await finish(world)).state is RequestState.DONE
    assert world.postbox.taken == list(subject.emails)
    assert await world.left(subject) == []


@pytest.mark.parametrize("mailing_runs", [True, False])
async def test_a_mail_that_can_not_be_sent_holds_up_for_hours_only(world: World, mailing_runs: bool) -> None:
    """It is given up after its last try, or after three hours when nobody even tries; the erasure is as whole."""
    subject = await world.settle_in(RequestKind.ERASURE)
    engine = world.engine()
    world.postbox.is_away = True
    started_at = world.clock.now()
    state = RequestState.WAITING
    while state is RequestState.WAITING:
        await world.rounds(engine).run_due()
        if mailing_runs:
            await world.send_mails(engine)
        request = await SqlPrivacyStore(engine).request(REQUEST)
        assert request is not None
        state = request.state
        world.clock.advance(timedelta(minutes=5))
        assert world.clock.now() - started_at < timedelta(hours=3, minutes=30), request
    assert world.clock.now() - started_at > timedelta(hours=2)
    await engine.dispose()
    assert state is RequestState.DONE
    assert await world.left(subject) == []


async def test_an_export_is_whole_or_not_at_all(world: World) -> None:
    """While one service is away there is nothing to fetch; after the last try it has failed, with the reason."""
    await world.settle_in(RequestKind.EXPORT)
    engine = world.engine()
    world.away = frozenset({"titles"})
    for attempt in range(1, MAX_EXPORT_ATTEMPTS + 1):
        await world.rounds(engine).run_due()
        request = await SqlPrivacyStore(engine).request(REQUEST)
        assert request is not None
        assert request.part_count == 0
        assert request.state is (RequestState.FAILED if attempt == MAX_EXPORT_ATTEMPTS else RequestState.WAITING)
        world.clock.advance(timedelta(hours=1))
    assert request.problem == "the titles service can't be reached"
    await engine.dispose()


async def test_an_export_is_deleted_after_seven_days(world: World) -> None:
    """Its text with it."""
    subject = await world.settle_in(RequestKind.EXPORT)
    request = await finish(world)
    engine = world.engine()
    store = SqlPrivacyStore(engine)
    text = await store.part(REQUEST, 0)
    assert text is not None
    assert subject.account_id in text
    assert request.expires_at is not None

    world.clock.advance(request.expires_at - world.clock.now())
    await world.rounds(engine).run_due()

    assert await store.request(REQUEST) is None
    assert await store.part(REQUEST, 0) is None
    await engine.dispose()
