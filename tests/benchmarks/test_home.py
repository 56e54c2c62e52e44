"""What the benchmark of home pages generates, and that it would see a page that is wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.home import run
from benchmarks.home.audience import Audience, make_audience
from benchmarks.home.catalogue import COUNTRIES, make_catalogue
from benchmarks.home.deployment import Deployment, Usage
from benchmarks.home.load import Answer, percentile
from benchmarks.home.quiet import wait_until_quiet
from benchmarks.home.screens import SCREENS, Request
from benchmarks.home.verify import check_answers, work_of
from common.tokens import Viewer
from subgraphs.kernel.policy import decide

MADE_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
TITLES, PROFILES = 600, 200


@pytest.fixture(scope="module")
def audience() -> Audience:
    return make_audience(make_catalogue(TITLES, 5, MADE_AT), PROFILES, 5)


def test_the_same_seed_gives_the_same_catalogue_and_histories(audience: Audience) -> None:
    """So that figures of two days are of the same data."""
    again = make_audience(make_catalogue(TITLES, 5, MADE_AT), PROFILES, 5)
    assert audience.catalogue.titles == again.catalogue.titles
    assert list(audience.members()) == list(again.members())
    assert make_catalogue(TITLES, 6, MADE_AT).titles != audience.catalogue.titles


def test_there_are_as_many_titles_as_asked_for(audience: Audience) -> None:
    """Films, series and episodes together, each under an id of its own."""
    assert TITLES == len(audience.catalogue.titles) == len({title.id for title in audience.catalogue.titles})


def test_who_may_see_what_is_what_the_policy_says(audience: Audience) -> None:
    """The generator's own knowledge, by which answers are checked, agrees with the policy for every kind of viewer."""
    catalogue = audience.catalogue
    for country in COUNTRIES:
        for maturity, is_kids in ((18, False), (7, False), (7, True)):
            viewer = Viewer("acc", country=country, profile_id="prof", maturity=maturity, is_kids=is_kids)
            expected = [decide(viewer, work.facts, MADE_AT).may_see for work in catalogue.works]
            assert expected == catalogue.allowed(country, maturity, is_kids=is_kids).tolist()


def test_nobody_watched_what_it_may_not_see(audience: Audience) -> None:
    """Histories are within the rules, and most profiles have one."""
    members = list(audience.members())
    for number, member in enumerate(members):
        allowed = audience.may_see(number)
        assert all(allowed[work_of(entry.title_id)] for entry in member.entries)
    assert sum(bool(member.entries) for member in members) > PROFILES * 0.9


def test_what_is_popular_is_watched_most(audience: Audience) -> None:
    """By Zipf's law: the first tenth of the ranks has more than three times the views of the last."""
    ranks = [work_of(entry.title_id) for member in audience.members() for entry in member.entries]
    count = len(audience.catalogue.works)
    first, last = sum(rank < count * 0.1 for rank in ranks), sum(rank >= count * 0.9 for rank in ranks)
    assert first > 3 * last


def _answer(page: dict[str, Any], number: int = 0) -> Answer:
    return Answer(Request(number, {}, b""), 200, zlib.compress(orjson.dumps({"data": {"page": page}}), wbits=31), 0.01)


def _page(ids: list[str]) -> dict[str, Any]:
    """Three sections of the titles, the first to go on with."""
    cards = [
        {"id": title_id, "artwork": {"url": "http://a"}, "title": {"id": title_id, "displayName": "N"}}
        for title_id in ids
    ]
    rows = [("CONTINUE_WATCHING", cards[:1]), ("TOP_PICKS", cards[1:7]), ("TRENDING", cards[7:])]
    return {
        "sections": {
            "edges": [
                {"node": {"kind": kind, "items": {"edges": [{"node": card} for card in row]}}} for kind, row in rows
            ]
        }
    }


def _ids_for(audience: Audience, number: int) -> list[str]:
    """What the profile goes on with, and other titles that it may see."""
    member = next(islice(audience.members(), number, None))
    begun = next(entry.title_id for entry in member.entries if not entry.is_finished)
    allowed = audience.may_see(number)
    others = [work.id for work, may_see in zip(audience.catalogue.works, allowed, strict=True) if may_see]
    return [begun, *others[:13]]


def _who_began_something(audience: Audience) -> int:
    return next(
        number
        for number, member in enumerate(audience.members())
        if any(not entry.is_finished for entry in member.entries)
    )


def test_a_right_page_has_no_problems(audience: Audience) -> None:
    """Allowed titles with names and pictures, and what was begun to go on with."""
    number = _who_began_something(audience)
    members = {number: next(islice(audience.members(), number, None))}
    assert check_answers([_answer(_page(_ids_for(audience, number)), number)], audience, members) == []


def test_wrong_pages_are_seen(audience: Audience) -> None:
    """A forbidden title, what was never begun, a missing title, errors, and one page for everybody."""
    number = _who_began_something(audience)
    member = next(islice(audience.members(), number, None))
    ids = _ids_for(audience, number)
    forbidden = audience.catalogue.works[int((~audience.may_see(number)).nonzero()[0][0])].id
    begun = {work_of(entry.title_id) for entry in member.entries}
    foreign = next(title_id for title_id in ids[1:] if work_of(title_id) not in begun)
    nameless = _page(ids)
    nameless["sections"]["edges"][1]["node"]["items"]["edges"][0]["node"]["title"] = None
    wrong = {
        "is forbidden to it": _answer(_page([*ids[:3], forbidden, *ids[4:]]), number),
        "which it did not begin": _answer(_page([foreign, *ids[1:]]), number),
        "without its title": _answer(nameless, number),
        "no home page": _answer(_page(ids[:5]), number),
        "HTTP 503": replace(_answer(_page(ids), number), status=503),
    }
    for told, answer in wrong.items():
        assert told in " ".join(check_answers([answer], audience, {number: member})), told
    everybody = [_answer({"sections": {"edges": []}}, other) for other in range(2)]
    assert check_answers(everybody, audience, {})


def test_percentiles_are_of_values_that_occurred() -> None:
    """The nearest rank."""
    assert [percentile([float(n) for n in range(1, 101)], at) for at in (0.01, 0.5, 0.99, 1)] == [
        1.0,
        50.0,
        99.0,
        100.0,
    ]
    assert percentile([], 0.99) == 0.0


def test_clients_send_their_own_operations() -> None:
    """With the variables that the operation declares, and no other."""
    for screen in SCREENS.values():
        sent = orjson.loads(screen.body())
        assert all(f"${name}:" in sent["query"] for name in sent["variables"])
        assert sent["variables"]["device"]["formFactor"] in {"TV", "PHONE"}


def test_a_folder_of_something_else_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused, and nothing in it is touched."""
    (tmp_path / "mine.txt").write_text("mine")
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["run", "--state", str(tmp_path), "--titles", "60", "--profiles", "2"])
    with pytest.raises(SystemExit, match="something else than this benchmark's data"):
        run.main()
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


@dataclass
class Starting:
    """A system whose samples are given: processor seconds used until then, and what it is preparing."""

    samples: Iterator[tuple[float, list[str]]]
    used_s: float = 0.0
    busy_with: list[str] = field(default_factory=list)

    def usage(self) -> Usage:
        return Usage({"recommendations": self.used_s}, {})

    def preparing(self) -> list[str]:
        return self.busy_with

    def pause(self, _seconds: float) -> None:
        used_s, self.busy_with = next(self.samples)
        self.used_s += used_s


def test_what_is_still_to_be_learned_is_waited_for() -> None:
    """Also while the processors rest: a learning that failed is tried again a minute later."""
    waits = [(0.0, ["preparing: learning"])] * 30
    learns = [(2.0, ["preparing: learning"])] * 5
    rests = [(0.01, [])] * 3
    system = Starting(iter([*waits, *learns, *rests]))
    assert wait_until_quiet(system, system.pause)
    assert list(system.samples) == []


def test_a_system_that_never_rests_is_told() -> None:
    """Not waited for for ever."""
    system = Starting(repeat((1.0, [])))
    assert not wait_until_quiet(system, system.pause)


LEARNS = """
import sys, time
while time.process_time() < 0.2:
    pass
print("learned", flush=True)
sys.stdin.read()
"""
HAS_A_CHILD = """
import subprocess, sys
with subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE):
    sys.stdin.readline()
print("ended", flush=True)
sys.stdin.readline()
"""


def test_what_an_ended_child_used_still_counts(tmp_path: Path) -> None:
    """Else a process that ends during a measurement would make it cheaper, down to less than nothing."""
    command = [sys.executable, "-c", HAS_A_CHILD, LEARNS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        system = Deployment(tmp_path, {}, process.pid)
        assert process.stdout.readline() == "learned\n"
        before = system.usage().cpu_s["others"]
        print(file=process.stdin)
        assert process.stdout.readline() == "ended\n"
        after = system.usage().cpu_s["others"]
        print(file=process.stdin)
    assert after >= before
