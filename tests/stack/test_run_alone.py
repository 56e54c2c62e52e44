"""`marquee run PROCESS` and `marquee health PROCESS`: each process alone, and asked by its own settings."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import CliRunner

from stack.cli import app
from stack.processes import PROCESS_TABLE
from tests.support.running_stack import free_ports, is_listening
from tests.support.valkey_server import valkey_server

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def valkey() -> Iterator[str]:
    with valkey_server() as url:
        yield url


def marquee(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "stack", *arguments],
        cwd=REPOSITORY,
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ask(environment: dict[str, str], name: str) -> tuple[int, str]:
    """Exit code and complaint of `marquee health`."""
    process = marquee(environment, "health", name)
    _, complaint = process.communicate(timeout=90)
    return process.returncode, complaint


@contextmanager
def running_alone(environment: dict[str, str], name: str) -> Iterator[None]:
    """Healthy while the block runs; ended in order, and without a traceback, by SIGTERM."""
    process = marquee(environment, "run", name)
    port = environment.get(f"MARQUEE_{name.upper()}_PORT")
    try:
        deadline = time.monotonic() + 120
        # To ask is to start a process: not before there is something to hear it.
        while port is not None and not is_listening(int(port)):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        while True:
            code, complaint = ask(environment, name)
            if code == 0:
                break
            assert time.monotonic() < deadline, complaint
            assert process.poll() is None
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    # uvicorn ends in order and then by the signal itself.
    assert process.returncode in {0, -signal.SIGTERM}, log
    assert "Traceback" not in log


@pytest.mark.parametrize("name", ["profiles", "licensing", "worker"])
def test_a_process_runs_alone_and_says_how_it_is(name: str, valkey: str, tmp_path: Path) -> None:
    """HTTP, gRPC and neither: asked on loopback though it listens everywhere."""
    environment = {"MARQUEE_STATE_DIR": str(tmp_path), "MARQUEE_VALKEY_URL": valkey}
    if name != "worker":
        environment[f"MARQUEE_{name.upper()}_PORT"] = str(free_ports(1)[0])
        environment[f"MARQUEE_{name.upper()}_HOST"] = "0.0.0.0"
    with running_alone(environment, name):
        pass
    if name != "worker":
        code, complaint = ask(environment, name)
        assert code == 1
        assert "does not answer" in complaint


def test_a_host_whose_worker_was_never_heard_of_is_not_healthy(valkey: str, tmp_path: Path) -> None:
    with Redis.from_url(valkey) as client:
        client.flushdb()
    code, complaint = ask({"MARQUEE_STATE_DIR": str(tmp_path), "MARQUEE_VALKEY_URL": valkey}, "worker")
    assert code == 1
    assert "the queue has not heard of a worker on" in complaint


def test_alone_no_demo_account_is_made(valkey: str, tmp_path: Path) -> None:
    """Their password is known to everybody; who wants them says so."""
    port = str(free_ports(1)[0])
    environment = {"MARQUEE_STATE_DIR": str(tmp_path), "MARQUEE_VALKEY_URL": valkey, "MARQUEE_PROFILES_PORT": port}
    with (
        running_alone(environment, "profiles"),
        closing(sqlite3.connect(tmp_path / "profiles/profiles.sqlite")) as rows,
    ):
        assert rows.execute("SELECT count(*) FROM accounts").fetchone() == (0,)


def test_an_unknown_process_is_named_with_those_that_there_are() -> None:
    for command in ("run", "health"):
        answer = CliRunner().invoke(app, [command, "profile"])
        assert answer.exit_code == 1
        assert f"known are {', '.join(row.name for row in PROCESS_TABLE)}" in answer.stderr


def test_a_variable_that_belongs_to_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARQUEE_VALKEY_URI", "redis://")
    answer = CliRunner().invoke(app, ["run", "steering"])
    assert answer.exit_code == 1
    assert "MARQUEE_VALKEY_URI belongs to no process" in answer.stderr
