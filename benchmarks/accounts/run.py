"""Log-ins per second of one core, and what others notice of them: `python -m benchmarks.accounts.run`."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.accounts.clients import PASSWORD, Tally, log_in_once, report_for
from benchmarks.gateway.processes import cpu_seconds
from benchmarks.gateway.tables import print_ratios, print_table
from benchmarks.heartbeats.servers import LOAD_CORE, REPOSITORY, SERVER_CORE, free_port, start_server, valkey
from common.settings import SharedSettings
from common.telemetry import configure_logs
from subgraphs.kernel.migrations import upgrade
from subgraphs.kernel.rate_limit import InMemoryRateLimiter
from subgraphs.kernel.sql import open_engine
from subgraphs.profiles.adapters.argon2_hasher import Argon2PasswordHasher
from subgraphs.profiles.adapters.sqlalchemy.tables import MIGRATIONS
from subgraphs.profiles.app import build_services
from subgraphs.profiles.domain.accounts import Account, PlanId
from subgraphs.profiles.services.signing_in import SignUp
from subgraphs.profiles.settings import ProfilesSettings

PROGRAMS = {
    "marquee": """
from common.telemetry import configure_logs
from stack.entries import run_profiles
configure_logs("profiles", "WARNING")
run_profiles()
""",
    "on the event loop": "from benchmarks.accounts.naive import serve; serve()",
}
"""The subgraph as the whole system runs it, and the same one with hashing where the obvious code has it."""
RAW = """
import sys, time
from argon2 import PasswordHasher, Type
memory, passes, lanes = (int(each) for each in sys.argv[1:4])
hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes, type=Type.ID)
stored, count, ends_at = hasher.hash("word"), 0, time.monotonic() + float(sys.argv[4])
while time.monotonic() < ends_at:
    hasher.verify(stored, "word")
    count += 1
print(count, time.process_time())
"""
ACCOUNTS = 16
HEADER = ("hashing", "log-ins/s", "CPU ms each", "core %", "log-in p50 ms", "others p50 ms", "others p99 ms", "refused")
UNLIMITED = "100000000"


def main() -> int:
    """Measure; 1 when an answer was wrong."""
    arguments = _parser().parse_args()
    if shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
        print("two processor cores and taskset are needed (Debian: apt install util-linux)", file=sys.stderr)
        return 2
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    configure_logs("benchmark", "ERROR")
    emails = [f"viewer{number}@example.org" for number in range(ACCOUNTS)]
    rows = [_hash_alone(arguments.seconds)]
    others_p99: dict[str, float] = {}
    with _served("marquee", emails) as (port, server):
        tally, _, cpu = _load(port, server, emails, 0, arguments.seconds)
    cpu_of_reading = cpu / len(tally.reads_s)
    rows.append(("nobody logs in", *["-"] * 4, *_milliseconds(tally), "0"))
    for name in PROGRAMS:
        with _served(name, emails) as (port, server):
            _load(port, server, emails, arguments.people, 1.0)
            tally, took, cpu = _load(port, server, emails, arguments.people, arguments.seconds)
        others_p99[name] = statistics.quantiles(tally.reads_s, n=100)[98]
        count = len(tally.log_ins_s)
        # What the others cost is taken off: there are the more of them for each log-in, the slower those are.
        each = (cpu - len(tally.reads_s) * cpu_of_reading) / count
        told = (f"{count / took:.1f}", f"{each * 1e3:.1f}", f"{cpu / took * 100:.0f}")
        log_in_p50 = f"{statistics.median(tally.log_ins_s) * 1e3:.0f}"
        rows.append((name, *told, log_in_p50, *_milliseconds(tally), str(tally.refused)))
    print_table(f"Log-ins through the subgraph's HTTP, one core, {arguments.people} at once", HEADER, rows)
    print_ratios("p99 of others", "marquee", others_p99)
    if arguments.tries:
        _compare_refusals(emails, arguments.tries)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accounts.run",
        description="Measures log-ins with the production parameters of the password hash, what other requests notice "
        "of them, and whether an unknown address can be told from a wrong password by time.",
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of load per row, after a second of warm-up")
    parser.add_argument("--people", type=int, default=8, help="who log in at once")
    parser.add_argument("--tries", type=int, default=500, help="refused log-ins of each kind to compare; 0: none")
    return parser


def _hash_alone(seconds: float) -> tuple[str, ...]:
    """The row of the ceiling: one thread that does nothing but compare passwords."""
    settings = ProfilesSettings()
    parameters = (settings.argon2_memory_kib, settings.argon2_passes, settings.argon2_lanes, seconds)
    command = ["taskset", "-c", SERVER_CORE, sys.executable, "-c", RAW, *(str(each) for each in parameters)]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    count, cpu = int(printed[0]), float(printed[1])
    told = (f"{count / seconds:.1f}", f"{cpu / count * 1e3:.1f}", f"{cpu / seconds * 100:.0f}")
    return ("the hash alone, one thread", *told, *["-"] * 4)


@contextmanager
def _served(name: str, emails: Sequence[str]) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A subgraph with an account per e-mail, on the server's core."""
    with tempfile.TemporaryDirectory() as folder, valkey() as valkey_url:
        asyncio.run(_make_accounts(Path(folder), emails))
        port = free_port()
        environment = {
            **{each: value for each, value in os.environ.items() if not each.startswith("MARQUEE_")},
            "MARQUEE_STATE_DIR": folder,
            "MARQUEE_VALKEY_URL": valkey_url,
            "MARQUEE_LOG_LEVEL": "ERROR",
            "MARQUEE_PROFILES_PORT": str(port),
            "MARQUEE_PROFILES_LOG_INS_PER_HOUR": UNLIMITED,
            "MARQUEE_PROFILES_LOG_INS_PER_ACCOUNT_PER_HOUR": UNLIMITED,
            "PYTHONPATH": str(REPOSITORY),
        }
        server = start_server(["-c", PROGRAMS[name]], environment, port)
        try:
            yield port, server
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


async def _make_accounts(state_dir: Path, emails: Sequence[str]) -> None:
    settings = ProfilesSettings(shared=SharedSettings(state_dir=state_dir))
    engine = open_engine(settings.store_url)
    hasher = Argon2PasswordHasher(
        memory_kib=settings.argon2_memory_kib,
        passes=settings.argon2_passes,
        lanes=settings.argon2_lanes,
        threads=settings.hashing_threads,
        max_waiting=len(emails),
    )
    try:
        await upgrade(engine, MIGRATIONS)
        services = build_services(settings, engine, hasher, InMemoryRateLimiter(), lambda: None)
        for email in emails:
            made = await services.signing_in.register(
                SignUp(email, PASSWORD, "US", PlanId.BASIC, "Me"), datetime.now(UTC)
            )
            if not isinstance(made, Account):
                raise SystemExit(f"no account for {email}: {made}")
    finally:
        hasher.close()
        await engine.dispose()


def _load(
    port: int, server: subprocess.Popen[bytes], emails: Sequence[str], people: int, seconds: float
) -> tuple[Tally, float, float]:
    """The load's answers, all right, with the seconds and the server's processor seconds that it took."""
    began, began_cpu = time.monotonic(), cpu_seconds(server.pid)
    tally = asyncio.run(report_for(port, emails, people, seconds))
    took, cpu = time.monotonic() - began, cpu_seconds(server.pid) - began_cpu
    if tally.wrong:
        raise SystemExit(f"{len(tally.wrong)} wrong answers, the first: {tally.wrong[0]}")
    return tally, took, cpu


def _milliseconds(tally: Tally) -> tuple[str, str]:
    cuts = statistics.quantiles(tally.reads_s, n=100)
    return f"{cuts[49] * 1e3:.1f}", f"{cuts[98] * 1e3:.1f}"


def _compare_refusals(emails: Sequence[str], tries: int) -> None:
    """Unknown addresses and wrong passwords in turn, so that both meet the same machine."""
    with _served("marquee", emails) as (port, _):
        unknown, wrong = asyncio.run(_refused_times(port, emails, tries))
    difference = statistics.median(unknown) - statistics.median(wrong)
    rows = [
        (name, str(len(times)), f"{statistics.median(times) * 1e3:.2f}", f"{statistics.stdev(times) * 1e3:.2f}")
        for name, times in (("unknown address", unknown), ("wrong password", wrong))
    ]
    print_table("Refused log-ins, one at a time", ("refused for", "tries", "median ms", "deviation ms"), rows)
    print(f"median difference: {difference * 1e3:+.3f} ms\n")


async def _refused_times(port: int, emails: Sequence[str], tries: int) -> tuple[list[float], list[float]]:
    unknown: list[float] = []
    wrong: list[float] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for number in range(tries):
            pair = ((unknown, f"nobody{number}@example.org"), (wrong, emails[number % len(emails)]))
            for times, email in pair if number % 2 else pair[::-1]:
                began = time.monotonic()
                answer = await log_in_once(client, email, "not the password")
                times.append(time.monotonic() - began)
                if answer["data"]["logIn"]["__typename"] != "InvalidCredentials":
                    raise SystemExit(f"a wrong answer: {answer}")
    return unknown, wrong


if __name__ == "__main__":
    sys.exit(main())
