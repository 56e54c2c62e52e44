"""Servers for `marquee up --servers`: given ones are used, installed ones started, missing ones named one by one."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from stack import opensearch, postgres, programs, servers
from stack.programs import ProgramMissing, start_program
from tests.support.running_stack import free_ports
from tests.support.server_runner import WAYS

VARIABLES = [variable for kind in servers.KINDS for variable in kind.urls]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the addresses is given; whatever the code sets is gone after the test."""
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "DEBIAN_BINARIES", tmp_path)
    monkeypatch.setattr(opensearch, "PACKAGED_HOME", tmp_path)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Another user can pass through it: as root, PostgreSQL runs as one."""
    with tempfile.TemporaryDirectory(prefix="marquee-stack-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.usefixtures("unset", "nothing_installed")
def test_each_missing_server_is_named_with_both_ways_out(tmp_path: Path) -> None:
    """One sentence each: what is missing, what to install, which variables to set to what."""
    with pytest.raises(servers.ServersMissing) as refused:
        servers.prepare_servers(tmp_path)
    sentences = str(refused.value).splitlines()
    assert len(sentences) == len(servers.KINDS)
    for sentence, kind in zip(sentences, servers.KINDS, strict=True):
        assert all(variable in sentence for variable in kind.urls)
        assert sentence.endswith(f"to yours, as {kind.example}")


@pytest.mark.usefixtures("nothing_installed")
def test_given_addresses_stay_and_nothing_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, f"given:{variable}")
    prepared = servers.prepare_servers(tmp_path)
    assert prepared.children == []
    assert prepared.given == {kind.name: list(kind.urls) for kind in servers.KINDS}
    assert {os.environ[variable] for variable in VARIABLES} == {f"given:{variable}" for variable in VARIABLES}


def test_a_given_server_that_is_silent_is_named_and_one_of_several_hosts_is_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody listens on port 1. The password does not appear."""
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "given")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setenv("MARQUEE_TITLES_STORE_URL", f"mongodb://u:p@127.0.0.1:1,127.0.0.1:{port}/titles")
        monkeypatch.setenv("MARQUEE_PROFILES_DATABASE_URL", "postgresql+asyncpg://u:hidden@127.0.0.1:1/profiles")
        with pytest.raises(servers.ServersMissing) as refused:
            servers.prepare_servers(tmp_path)
    assert str(refused.value) == (
        "nothing answers at 127.0.0.1:1, which MARQUEE_PROFILES_DATABASE_URL names: "
        "start PostgreSQL there, or correct the address"
    )


@pytest.mark.usefixtures("unset")
def test_one_unset_address_starts_its_server_and_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "given")
    monkeypatch.delenv("MARQUEE_LICENSING_DATABASE_URL")
    if shutil.which("initdb") is None and not any(postgres.DEBIAN_BINARIES.glob("*/bin/initdb")):
        pytest.skip("no PostgreSQL is installed (Debian's package postgresql)")
    [child] = servers.prepare_servers(tmp_path).children
    assert child.row.name == "postgresql"
    assert os.environ["MARQUEE_LICENSING_DATABASE_URL"].endswith(f"@127.0.0.1:{child.port}/licensing")
    assert os.environ["MARQUEE_PROFILES_DATABASE_URL"] == "given"


async def test_our_postgresql_keeps_its_data_over_a_restart(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is asked for, each service has a database, and a second start finds what the first one left."""
    monkeypatch.setenv("MARQUEE_STATE_DIR", str(open_folder))
    [port] = free_ports(1)
    try:
        program = postgres.postgres_program(open_folder, port)
    except ProgramMissing as missing:
        pytest.skip(str(missing))
    plain = postgres.postgres_url(open_folder, port, "profiles").replace("+asyncpg", "")
    for turn in (1, 2):
        process = start_program(program if turn == 1 else postgres.postgres_program(open_folder, port))
        try:
            deadline = time.monotonic() + 90
            while not await postgres.is_ready(port):
                assert time.monotonic() < deadline
                assert process.poll() is None
                await asyncio.sleep(0.05)
            connection = await asyncpg.connect(plain)
            if turn == 1:
                await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
                names = await connection.fetch("SELECT datname FROM pg_database")
                assert set(postgres.DATABASES) <= {row["datname"] for row in names}
                with pytest.raises(asyncpg.InvalidPasswordError):
                    await asyncpg.connect(plain, password="guessed")
            assert await connection.fetchval("SELECT number FROM kept") == 7
            await connection.close()
        finally:
            process.send_signal(program.stop)
            assert process.wait(60) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs programs as other users")
def test_a_folder_that_the_other_user_cannot_reach_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(
        ProgramMissing, match=r"cannot be reached by user 'daemon'.*is closed to others.*MARQUEE_STATE_DIR"
    ):
        programs.give_to("daemon", closed / "postgresql")


def test_a_program_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Even when that is killed: the kernel tells it."""
    starter = (
        "from stack.programs import Program, start_program; import os, time;"
        "p = start_program(Program(('sleep', '60'))); print(p.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("has_security", [True, False])
def test_opensearch_gets_a_configuration_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_security: bool
) -> None:
    """Loopback, data below the state folder; the security plugin is switched off only where there is one."""
    monkeypatch.setattr(opensearch, "account_other_than_root", lambda *_: None)
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    for name in ("jvm.options", "log4j2.properties"):
        (home / "config" / name).write_text(name)
    if has_security:
        (home / "plugins" / "opensearch-security").mkdir(parents=True)
    program = opensearch.opensearch_program(home, tmp_path / "state", 4799)
    assert program.command == (str(home / "bin" / "opensearch"),)
    config = Path(program.environment["OPENSEARCH_PATH_CONF"])
    written = (config / "opensearch.yml").read_text()
    assert {"network.host: 127.0.0.1", "http.port: 4799"} <= set(written.splitlines())
    assert ("plugins.security.disabled: true" in written) is has_security
    assert sorted(each.name for each in config.iterdir()) == ["jvm.options", "log4j2.properties", "opensearch.yml"]


def test_up_servers_says_what_is_missing(tmp_path: Path) -> None:
    """As a person sees it: exit code 1, an error, no traceback."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")}
    given = {variable: "given" for variable in VARIABLES if "TITLES" not in variable}
    done = subprocess.run(
        [sys.executable, "-m", "stack", "up", "--servers"],
        cwd=REPOSITORY,
        env={**kept, **given, "MARQUEE_STATE_DIR": str(tmp_path / "state"), "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if opensearch.PACKAGED_HOME.exists():
        pytest.skip("an OpenSearch is installed here")
    assert done.returncode == 1
    assert "error: MongoDB is not installed" in done.stderr
    assert "OpenSearch is not installed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_ends_with_its_servers(tmp_path: Path) -> None:
    """SIGTERM to the runner alone reaches the command."""
    told = tmp_path / "pid"
    given = {server.variable: "given" for server in WAYS}
    command = ["sh", "-c", f"echo $$ >{told}.new && mv {told}.new {told} && exec sleep 60"]
    runner = subprocess.Popen(
        [sys.executable, "-m", "tests.support.server_runner", *command], cwd=REPOSITORY, env={**os.environ, **given}
    )
    try:
        deadline = time.monotonic() + 30
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        runner.terminate()
        assert runner.wait(30) == 143
        with pytest.raises(ProcessLookupError):
            os.kill(int(told.read_text()), 0)
    finally:
        runner.kill()
