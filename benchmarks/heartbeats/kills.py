"""Kills under load, and what is left of what was acknowledged: `python -m benchmarks.heartbeats.kills --help`.

Players report without pause while the playback process, or its PostgreSQL server, is killed with SIGKILL and started
again; each round's players carry on where they were. After every kill the store is read through its port and compared
with what the players had been told. One position less than acknowledged is one lost heartbeat, and exit code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.gateway.tables import print_table
from benchmarks.heartbeats.players import Load, Player, Tally, make_players, sign_contexts
from benchmarks.heartbeats.servers import fork_server, free_port, playback_environment, valkey
from benchmarks.heartbeats.verify import count_lost
from common.telemetry import configure_logs

ROUND_DEADLINE_S = 20.0
HEADER = ("killed", "store", "kills", "acknowledged", "unanswered", "refused", "wrong", "lost")


@dataclass(slots=True)
class Outcome:
    """One kind of kill."""

    killed: str
    store: str
    kills: int = 0
    acknowledged: int = 0
    broken: int = 0
    refused: int = 0
    wrong: int = 0
    lost: int = 0

    def add(self, tally: Tally, lost: int) -> None:
        """One kill more."""
        self.kills += 1
        self.acknowledged += tally.acknowledged
        self.broken += tally.broken
        self.refused += tally.unavailable
        self.wrong += len(tally.wrong)
        self.lost += lost
        if self.kills % 10 == 0:
            print(f"{self.kills} kills of {self.killed} on {self.store}: {self}", file=sys.stderr, flush=True)


def main() -> int:
    """Kill as often as asked; 1 when an acknowledged heartbeat was lost or an answer was wrong."""
    arguments = _parser().parse_args()
    # Asked to stop, the blocks that own servers must end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    configure_logs("kills", "ERROR")
    kinds = [partial(kill_playback, store_url=None)]
    programs = arguments.postgresql_programs
    if programs is not None:
        kinds += [partial(kill_postgresql, programs=programs), partial(kill_playback_on_postgresql, programs=programs)]
    outcomes = []
    for kind in (kinds[number] for number in arguments.only or range(len(kinds))):
        outcomes.append(kind(arguments.kills, arguments.players, seed=arguments.seed))
        row = tuple(str(getattr(outcomes[-1], name)) for name in Outcome.__dataclass_fields__)
        print_table("Kills (SIGKILL) under load", HEADER, [row])
    return 1 if any(outcome.lost or outcome.wrong for outcome in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.heartbeats.kills",
        description="Kills playback and its store under load and counts acknowledged heartbeats that are gone.",
    )
    parser.add_argument("--kills", type=int, default=50, help="of each kind (default: 50)")
    parser.add_argument(
        "--only",
        type=int,
        nargs="*",
        choices=[0, 1, 2],
        help="0: playback on SQLite, 1: PostgreSQL below playback, 2: playback on PostgreSQL (default: all)",
    )
    parser.add_argument("--players", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which is killed")
    parser.add_argument(
        "--postgresql-programs",
        type=Path,
        default=_installed_postgresql(),
        help="folder with initdb and postgres; a server of its own is started there (default: where it is installed)",
    )
    return parser


def _installed_postgresql() -> Path | None:
    """The newest that Debian installed, else the one on the path; None when there is none."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    found = debian[-1] if debian else None if on_path is None else Path(on_path).resolve()
    return None if found is None else found.parent


def kill_playback(kills: int, player_count: int, store_url: str | None, seed: int) -> Outcome:
    """Kill the playback process; on the embedded store that is the store's process, too."""
    outcome = Outcome("playback", "sqlite" if store_url is None else "postgresql")
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, valkey() as valkey_url:
        players = asyncio.run(make_players(Path(folder), valkey_url, player_count))
        port = free_port()
        environment = playback_environment(Path(folder), valkey_url, port, store_url)
        for _ in range(kills):
            process = fork_server(environment, port)
            sign_contexts(Path(folder), players, 2)
            tally = asyncio.run(_load_until(port, players, process.kill, chance.randint(50, 500)))
            process.join()
            outcome.add(tally, asyncio.run(count_lost(store_url, Path(folder), players)))
    return outcome


def kill_postgresql(kills: int, player_count: int, programs: Path, seed: int) -> Outcome:
    """Kill the server's processes, all of them, while playback runs on; start it again, which replays its log."""
    outcome = Outcome("store", "postgresql")
    chance = random.Random(seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        valkey() as valkey_url,
        _Postgresql.running(programs) as server,
    ):
        players = asyncio.run(make_players(Path(folder), valkey_url, player_count))
        port = free_port()
        environment = playback_environment(Path(folder), valkey_url, port, server.url)
        playback = fork_server(environment, port)
        try:
            for _ in range(kills):
                sign_contexts(Path(folder), players, 2)
                tally = asyncio.run(_load_over_restart(port, players, server, chance.randint(50, 500)))
                outcome.add(tally, asyncio.run(count_lost(server.url, Path(folder), players)))
        finally:
            playback.kill()
            playback.join()
    return outcome


def kill_playback_on_postgresql(kills: int, player_count: int, programs: Path, seed: int) -> Outcome:
    """As kill_playback, with a PostgreSQL of its own below it."""
    with _Postgresql.running(programs) as server:
        return kill_playback(kills, player_count, server.url, seed)


async def _load_until(port: int, players: Sequence[Player], kill: Callable[[], None], after: int) -> Tally:
    """Report until so many are acknowledged; then `kill` strikes under the reports, all of which fail."""
    load = Load(port, [[player] for player in players])
    running = asyncio.ensure_future(load.run(ROUND_DEADLINE_S))
    deadline = time.monotonic() + ROUND_DEADLINE_S
    while load.tally.acknowledged < after and time.monotonic() < deadline:  # noqa: ASYNC110  # many tasks count there
        await asyncio.sleep(0.005)
    kill()
    await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return load.tally


async def _load_over_restart(port: int, players: Sequence[Player], server: _Postgresql, after: int) -> Tally:
    """Report while the store is killed and comes back, until as many again are acknowledged."""
    load = Load(port, [[player] for player in players])
    running = asyncio.ensure_future(load.run(2 * ROUND_DEADLINE_S))
    deadline = time.monotonic() + ROUND_DEADLINE_S
    is_killed = False
    while load.tally.acknowledged < 2 * after and time.monotonic() < deadline:
        await asyncio.sleep(0.005)
        if not is_killed and load.tally.acknowledged >= after:
            server.kill()
            await asyncio.to_thread(server.start)
            is_killed = True
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return load.tally


class _Postgresql:
    """A server of our own in a temporary folder; `kill` leaves it as a power cut would, but for the page cache."""

    def __init__(self, programs: Path, folder: Path, user: list[str]) -> None:
        self._programs = programs
        self._folder = folder
        self._user = user
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://marquee@127.0.0.1:{self._port}/postgres"

    @classmethod
    @contextlib.contextmanager
    def running(cls, programs: Path) -> Iterator[_Postgresql]:
        """A fresh server; gone with the block."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            # initdb refuses to run as root.
            user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
            Path(folder).chmod(0o777)
            server = cls(programs, Path(folder) / "data", user)
            subprocess.run(
                [*user, str(programs / "initdb"), "-D", str(server._folder), "-U", "marquee", "-A", "trust"],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            server.start()
            try:
                yield server
            finally:
                server.kill()

    def start(self) -> None:
        """Start, and wait until it has replayed its log and takes connections."""
        deadline = time.monotonic() + 30
        self._process = subprocess.Popen(
            [*self._user, str(self._programs / "postgres"), "-D", str(self._folder), "-p", str(self._port),
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise SystemExit("PostgreSQL did not come back within 30 s")
            if self._process.poll() is not None:
                # A child of the killed server may hold the shared memory for another moment.
                self.start()
                return
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL to the postmaster; its children see that and go, and are waited for through the shared memory."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            (self._folder / "postmaster.pid").unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
