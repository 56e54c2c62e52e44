"""Starts throw-away servers for the tests, runs a command with their addresses in the environment, ends them.

PostgreSQL and Redis are the machine's own; the MongoDB-compatible server and OpenSearch are Java programs that Maven
brings once into a cache folder. A server that cannot be had is named in one line, and its tests skip. An address that
the environment gives already stays. However this process ends, the servers end with it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from stack.postgres import postgres_program, postgres_url
from stack.programs import Program, ProgramMissing, start_program
from tests.support.servers import MONGODB, OPENSEARCH, POSTGRES, REDIS, Server

PROGRAMS = Path(__file__).parent / "server_programs"
DOWNLOAD_DEADLINE_S = 600.0
READY_DEADLINE_S = 120.0
STOP_DEADLINE_S = 10.0
OPENSEARCH_PORTS = range(9201, 9300)
COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


@dataclass(frozen=True, slots=True)
class Started:
    """A server that was started; `log` is its output."""

    server: Server
    url: str
    process: subprocess.Popen[bytes]
    log: Path


def postgres(folder: Path) -> tuple[Program, str]:
    """What it holds dies with it, so that it need not wait for the disk."""
    port = free_port()
    program = postgres_program(folder, port, databases=("marquee_test",))
    hurried = Program((*program.command, "-c", "fsync=off"), stop=program.stop, account=program.account)
    return hurried, postgres_url(folder, port, "marquee_test")


def redis(folder: Path) -> tuple[Program, str]:
    """Redis by name, and not Valkey: that one the tests have anyway, from its wheel."""
    port = free_port()
    command = (find_redis(), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder))
    return Program(command), f"redis://127.0.0.1:{port}/0"


def mongodb(folder: Path) -> tuple[Program, str]:
    port = free_port()
    source = PROGRAMS / "mongodb" / "InMemoryMongoServer.java"
    command = (java(), "-Xmx256m", "-cp", f"{jars('mongodb')}/*", str(source), str(port))
    return Program(command), f"mongodb://127.0.0.1:{port}"


def opensearch(folder: Path) -> tuple[Program, str]:
    """The runner numbers its nodes from 1, adds that to the port, and takes none above its own highest."""
    port = free_port(OPENSEARCH_PORTS)
    runner = "org.codelibs.opensearch.runner.OpenSearchRunner"
    options = ("-basePath", str(folder), "-numOfNode", "1", "-baseHttpPort", str(port - 1))
    name = ("-clusterName", f"marquee-test-{port}")
    command = (java(), "-Xms512m", "-Xmx512m", "-cp", f"{jars('opensearch')}/*", runner, *options, *name)
    return Program(command), f"http://127.0.0.1:{port}"


WAYS: dict[Server, Callable[[Path], tuple[Program, str]]] = {
    POSTGRES: postgres,
    REDIS: redis,
    MONGODB: mongodb,
    OPENSEARCH: opensearch,
}


def find_redis() -> str:
    """Its binary; raises ProgramMissing."""
    found = shutil.which("redis-server")
    if found is None:
        raise ProgramMissing("redis-server is not installed (on Debian and Ubuntu: apt install redis-server)")
    return found


def java() -> str:
    """Java's launcher; a JDK, since the MongoDB server's main class is compiled as it starts."""
    found = shutil.which("java")
    if found is None or shutil.which("javac") is None:
        raise ProgramMissing(
            "no JDK (17 or newer) is installed (on Debian and Ubuntu: apt install default-jdk-headless)"
        )
    return found


def jars(name: str) -> Path:
    """The folder of a program's class path, brought by Maven when it is not there yet; raises ProgramMissing."""
    pom = PROGRAMS / name / "pom.xml"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "marquee" / "test-servers"
    folder = cache / f"{name}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise ProgramMissing("Maven is not installed (on Debian and Ubuntu: apt install maven)")
    cache.mkdir(parents=True, exist_ok=True)
    # Into place at once and whole: the next run takes what is there without another look.
    with tempfile.TemporaryDirectory(dir=cache) as unfinished:
        command = [maven, "-q", "-B", "-f", str(pom), COPY_DEPENDENCIES, f"-DoutputDirectory={unfinished}/jars"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_DEADLINE_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise ProgramMissing(f"Maven did not bring {name} within {DOWNLOAD_DEADLINE_S:.0f} s") from error
        if done.returncode != 0:
            reason = next((line for line in done.stdout.splitlines() if "ERROR" in line), done.stderr[-200:])
            raise ProgramMissing(f"Maven could not bring {name}: {reason}")
        if not folder.exists():
            Path(unfinished, "jars").rename(folder)
    return folder


def start(server: Server, folder: Path) -> Started | None:
    """Start it, without waiting; None, after a line that says why, where it cannot be had."""
    mine = folder / server.name.lower()
    mine.mkdir()
    # PostgreSQL runs as another user where we are root, and must reach its folder.
    mine.chmod(0o711)
    try:
        program, url = WAYS[server](mine)
    except ProgramMissing as error:
        say(f"{server.name}: {error}; its tests skip")
        return None
    log = mine / "server.log"
    with log.open("wb") as output:
        return Started(server, url, start_program(program, output), log)


def wait_until_ready(started: Started, deadline: float) -> bool:
    """False, after a line that says why, when it ended or is not ready by then."""
    while True:
        try:
            version = started.server.version(started.url)
        except Exception as error:  # noqa: BLE001  # foreign clients raise what they like while nobody answers yet
            code = started.process.poll()
            if code is None and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            reason = f"ended with {code}" if code is not None else f"is not ready ({type(error).__name__})"
            say(f"{started.server.name} {reason}; its tests skip. The end of its output:")
            say("".join(started.log.read_text(errors="replace").splitlines(keepends=True)[-5:]))
            return False
        say(f"{started.server.name} {version}")
        return True


def run(command: list[str]) -> int:
    """Start what the environment does not give, run the command, end what was started; the command's exit code."""
    with tempfile.TemporaryDirectory(prefix="marquee-servers-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        wanted = [server for server in WAYS if not os.environ.get(server.variable)]
        started = [each for each in (start(server, folder) for server in wanted) if each is not None]
        try:
            deadline = time.monotonic() + READY_DEADLINE_S
            ready = {each.server.variable: each.url for each in started if wait_until_ready(each, deadline)}
            if OPENSEARCH.variable in ready:
                allow_full_disk(ready[OPENSEARCH.variable])
            return run_with(ready, command)
        finally:
            end(started)


def run_with(addresses: dict[str, str], command: list[str]) -> int:
    """The command, or without one a pause until Ctrl-C, after telling the addresses."""
    if not command:
        for variable, url in addresses.items():
            print(f"export {variable}={url}", flush=True)
        say("Ctrl-C ends them")
        signal.pause()
        return 0
    child = subprocess.Popen(command, env={**os.environ, **addresses})
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                # The terminal has sent it to the command, too, which ends in its own way.
                continue
    finally:
        # SIGTERM came to us alone: without its servers the command has nothing to go on with.
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_DEADLINE_S)
            child.kill()


def allow_full_disk(url: str) -> None:
    """A node on a disk that is 90 % full would make no index; what tests write is small."""
    setting = {"persistent": {"cluster.routing.allocation.disk.threshold_enabled": False}}
    httpx.put(f"{url}/_cluster/settings", json=setting, timeout=30).raise_for_status()


def end(started: list[Started]) -> None:
    for each in started:
        each.process.send_signal(signal.SIGINT if each.server is POSTGRES else signal.SIGTERM)
    for each in started:
        try:
            each.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            each.process.kill()
            each.process.wait()


def free_port(candidates: Iterable[int] = (0,)) -> int:
    """The first that nobody listens on; 0 lets the system choose. Raises ProgramMissing when all are taken."""
    for candidate in candidates:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", candidate))
            port: int = probe.getsockname()[1]
            return port
    raise ProgramMissing("no free port for it")


def say(text: str) -> None:
    """To people; addresses alone go to standard output."""
    print(text.rstrip(), file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/servers",
        description="Run a command with real PostgreSQL, Redis, OpenSearch and a MongoDB-compatible server for the "
        "tests, and end them with it. Without a command: print their addresses and wait for Ctrl-C.",
        epilog="Example: scripts/servers scripts/test tests/subgraphs/profiles",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="with its arguments, e.g. make test")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return run(parser.parse_args().command)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
