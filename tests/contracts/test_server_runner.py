"""scripts/servers: real servers while a command runs, none afterwards, and a word for each that cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.support import server_runner
from tests.support.servers import REDIS, SERVERS

SHOW_REDIS = f"import os, redis; u = os.environ['{REDIS.variable}']; print(u, redis.Redis.from_url(u).ping()); raise SystemExit(7)"


@pytest.fixture
def only_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others' addresses are given, so that none of them is started."""
    for server in SERVERS:
        monkeypatch.setenv(server.variable, "given")
    monkeypatch.delenv(REDIS.variable)


@pytest.mark.usefixtures("only_redis")
def test_the_command_gets_the_address_and_the_servers_end_with_it(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command's exit code is ours; given addresses stay as they are."""
    try:
        server_runner.find_redis()
    except server_runner.ProgramMissing as missing:
        pytest.skip(str(missing))
    assert server_runner.run([sys.executable, "-c", SHOW_REDIS]) == 7
    url, answer = capfd.readouterr().out.split()
    assert answer == "True"
    with Redis.from_url(url) as client, pytest.raises(RedisConnectionError):
        client.ping()


@pytest.mark.usefixtures("only_redis")
def test_what_is_not_installed_is_named_and_the_command_runs(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = f"import os; raise SystemExit('{REDIS.variable}' in os.environ)"
    assert server_runner.run([sys.executable, "-c", missing]) == 0
    assert "Redis: redis-server is not installed (on Debian and Ubuntu: apt install redis-server); its tests skip" in (
        capfd.readouterr().err
    )


def test_java_programs_need_a_jdk_and_maven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Maven only for what is not in the cache yet."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(server_runner.ProgramMissing, match="no JDK"):
        server_runner.java()
    with pytest.raises(server_runner.ProgramMissing, match="Maven is not installed"):
        server_runner.jars("mongodb")


def test_help_says_how() -> None:
    done = subprocess.run(
        [server_runner.PROGRAMS.parents[2] / "scripts" / "servers", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert "Example: scripts/servers scripts/test tests/subgraphs/profiles" in done.stdout
