"""`marquee events`: lag, catalogue and dead letters, against a real Valkey with a consumer that fails and is mended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from typer.testing import CliRunner, Result

from common import events
from common.event_catalogue import write_event_reference
from common.events import Event, EventConsumer, EventPublisher, dead_letter_key
from stack.cli import app
from tests.support.valkey_server import valkey_server

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TOPIC, GROUP = "feedback", "recommendations"
ERROR = "no such title: [/b] [bold]mov_1"
"""With what the console could take for instructions."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with valkey_server() as url:
        yield url


@dataclass
class System:
    """A Valkey, and one group's consumer, whose handler fails as long as it is told to."""

    url: str
    is_broken: bool = True
    heard: list[Event] = field(default_factory=list)

    def marquee(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["events", *arguments])

    def publish(self, profile_id: str = "prof_1") -> str:
        """The entry's id."""

        async def work(redis: AsyncRedis) -> str:
            data = {"profileId": profile_id, "titleId": "mov_1", "inList": True}
            return await EventPublisher(redis).publish(Event(TOPIC, "list.changed", data, AT))

        return self._run(work)

    def consume(self) -> None:
        """Everything that is there, once."""

        async def handle(event: Event) -> None:
            if self.is_broken:
                raise ValueError(ERROR)
            self.heard.append(event)

        async def work(redis: AsyncRedis) -> str:
            consumer = EventConsumer(redis, group=GROUP, consumer="c", handlers={TOPIC: handle})
            async with asyncio.timeout(20), consumer.running():
                while True:
                    lag = await consumer.lag(TOPIC)
                    if (lag.undelivered, lag.pending) == (0, 0):
                        return ""
                    await asyncio.sleep(0.01)

        self._run(work)

    def dead_ids(self) -> list[str]:
        with Redis.from_url(self.url) as redis:
            return [id_.decode() for id_, _ in redis.xrange(dead_letter_key(TOPIC))]  # type: ignore[union-attr]

    def _run(self, work: Callable[[AsyncRedis], Awaitable[str]]) -> str:
        async def run() -> str:
            async with AsyncRedis.from_url(self.url) as redis:
                return await work(redis)

        return asyncio.run(run())


@pytest.fixture
def system(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("MARQUEE_VALKEY_URL", server)
    monkeypatch.setenv("COLUMNS", "200")
    # The first failure is the last: what three tries do is tested where they are made.
    monkeypatch.setattr(events, "MAX_DELIVERIES", 1)
    with Redis.from_url(server) as redis:
        redis.flushall()
    return System(server)


def cells(output: str, word: str) -> list[str]:
    """Of the table's row with that word."""
    row = next(line for line in output.splitlines() if word in line)
    return [cell.strip() for cell in row.replace("┃", "│").split("│")[1:-1]]


def test_lag_says_how_far_each_group_is_behind(system: System) -> None:
    """Nothing yet; then what was not delivered, by topic and group; nothing again when it was."""
    assert "No service reads any topic yet" in system.marquee("lag").stdout
    system.publish()
    system.is_broken = False
    system.consume()
    assert cells(system.marquee("lag").stdout, GROUP) == [TOPIC, GROUP, "1", "0", "0"]
    system.publish()
    system.publish()
    assert cells(system.marquee("lag").stdout, GROUP) == [TOPIC, GROUP, "1", "2", "0"]


def test_catalogue_is_the_reference(system: System) -> None:
    """Needs no server."""
    result = system.marquee("catalogue")
    assert (result.exit_code, result.stdout) == (0, write_event_reference())


def test_dead_letters_are_listed_with_who_failed_and_why(system: System) -> None:
    """Newest first, at most the limit; of all topics, or of one."""
    for number in range(3):
        system.publish(f"prof_{number}")
    system.consume()
    letters = system.dead_ids()
    listed = system.marquee("dead", "list")
    assert listed.exit_code == 0, listed.output
    shown = [line for line in listed.stdout.splitlines() if line.startswith(f"{TOPIC} ")]
    assert shown == [f"{TOPIC} {letter} list.changed for {GROUP}: {ERROR}" for letter in reversed(letters)]
    assert '"profileId":"prof_2"' in listed.stdout
    limited = system.marquee("dead", "list", TOPIC, "--limit", "1").stdout
    assert letters[2] in limited
    assert letters[1] not in limited
    assert f"{TOPIC}: 3 dead, 1 shown" in limited
    assert "titles: 0 dead, 0 shown" in system.marquee("dead", "list", "titles").stdout


def test_a_letter_that_is_retried_is_heard_by_the_group_that_failed(system: System) -> None:
    """Once, with the id that it had; the letter is gone, and can't be retried again."""
    entry_id = system.publish()
    system.consume()
    [letter] = system.dead_ids()
    system.is_broken = False
    retried = system.marquee("dead", "retry", TOPIC, letter)
    assert (retried.exit_code, system.dead_ids()) == (0, [])
    assert "is back in topic feedback" in retried.stdout
    system.consume()
    assert [event.id for event in system.heard] == [entry_id]
    again = system.marquee("dead", "retry", TOPIC, letter)
    assert again.exit_code == 1
    assert f"topic {TOPIC} has no dead letter {letter}" in again.stderr


def test_a_letter_that_is_dropped_is_gone(system: System) -> None:
    """The others stay; a second time there is nothing to drop."""
    system.publish()
    system.publish()
    system.consume()
    first, second = system.dead_ids()
    assert system.marquee("dead", "drop", TOPIC, first).exit_code == 0
    assert system.dead_ids() == [second]
    assert "has no dead letter" in system.marquee("dead", "drop", TOPIC, first).stderr


@pytest.mark.parametrize("command", ["retry", "drop"])
@pytest.mark.parametrize("letter", ["first", "17", "17-", "[/b]"])
def test_what_is_no_letters_id_is_refused(system: System, command: str, letter: str) -> None:
    """By name: half an id could mean another letter."""
    refused = system.marquee("dead", command, TOPIC, letter)
    assert refused.exit_code == 1
    assert f"'{letter}' is no letter's id" in refused.stderr


def test_an_unknown_topic_is_refused_with_those_that_there_are(system: System) -> None:
    """By every command that takes one."""
    for arguments in (["list", "nosuch"], ["retry", "nosuch", "1-1"], ["drop", "nosuch", "1-1"]):
        refused = system.marquee("dead", *arguments)
        assert refused.exit_code == 1
        assert "no topic is called 'nosuch'; known are accounts, titles" in refused.stderr


def test_without_a_server_it_says_so(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to look at; no stack trace."""
    monkeypatch.setenv("MARQUEE_VALKEY_URL", "redis://127.0.0.1:1/0")
    for arguments in (["lag"], ["dead", "list"]):
        failed = system.marquee(*arguments)
        assert failed.exit_code == 1
        assert "is Marquee running (make up), or is MARQUEE_VALKEY_URL right?" in failed.stderr
