"""A PostgreSQL of our own: a cluster below the state folder, made at the first start, listening on loopback alone."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from common.settings import SharedSettings
from stack.passwords import password_in
from stack.programs import Program, ProgramMissing, account_other_than_root, give_to, run_program
from stack.settings import StackSettings

__all__ = ["DATABASES", "find_postgres", "is_ready", "postgres_program", "postgres_url", "run"]

DATABASES = ("profiles", "recommendations", "licensing")
"""One for each service, since each migrates its own tables."""
USER = "marquee"
DEBIAN_BINARIES = Path("/usr/lib/postgresql")
"""Debian and Ubuntu keep the servers' programs out of PATH, a folder for each version."""
PREPARE_DEADLINE_S = 60.0
PROBE_DEADLINE_S = 2.0


def find_postgres() -> Path:
    """The folder of `initdb` and `postgres`, the newest version; raises ProgramMissing."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    versions = [each for each in DEBIAN_BINARIES.glob("*/bin") if (each / "initdb").exists()]
    if not versions:
        raise ProgramMissing("PostgreSQL is not installed (on Debian and Ubuntu: apt install postgresql)")
    return max(versions, key=lambda each: float(each.parent.name))


def postgres_url(state_dir: Path, port: int, database: str) -> str:
    """SQLAlchemy's URL of one database."""
    return f"postgresql+asyncpg://{USER}:{password_in(_password_file(state_dir))}@127.0.0.1:{port}/{database}"


def postgres_program(state_dir: Path, port: int, databases: tuple[str, ...] = DATABASES) -> Program:
    """The cluster in <state>/postgresql (made if it is not there) with these databases; raises ProgramMissing."""
    binaries = find_postgres()
    account = account_other_than_root("PostgreSQL", "postgres")
    folder = state_dir / "postgresql"
    give_to(account, folder)
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _make_cluster(binaries, data, password_in(_password_file(state_dir)), account)
    postgres = str(binaries / "postgres")
    # Before it listens. A database that exists is an error line of this session, and nothing more.
    statements = "".join(f"CREATE DATABASE {name};\n" for name in databases)
    _call((postgres, "--single", "-D", str(data), "postgres"), account, sent=statements)
    listening = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=")
    options = tuple(part for setting in listening for part in ("-c", setting))
    # SIGINT ends it at once and in order; SIGTERM would wait for every client to leave.
    return Program((postgres, "-D", str(data), *options), stop=signal.SIGINT, account=account)


def run() -> None:
    """Run the server until SIGTERM; its exit code becomes ours."""
    settings = StackSettings.load()
    run_program(postgres_program(settings.shared.state_dir, settings.postgres_port))


async def is_ready(port: int) -> bool:
    """Whether it lets us in; its port is open before that, while it recovers."""
    url = postgres_url(SharedSettings.load().state_dir, port, DATABASES[0]).replace("+asyncpg", "")
    try:
        connection = await asyncpg.connect(url, timeout=PROBE_DEADLINE_S)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    await connection.close(timeout=PROBE_DEADLINE_S)
    return True


def _make_cluster(binaries: Path, data: Path, password: str, account: str | None) -> None:
    password_file = data.parent / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    try:
        if account is not None:
            shutil.chown(password_file, account)
        options = ("--username", USER, "--pwfile", str(password_file), "--auth", "scram-sha-256")
        _call((str(binaries / "initdb"), "-D", str(data), "--encoding", "UTF8", "--locale", "C", *options), account)
    finally:
        password_file.unlink()


def _call(command: tuple[str, ...], account: str | None, sent: str = "") -> None:
    done = subprocess.run(  # noqa: S603  # programs of the folder that was found
        command,
        input=sent,
        capture_output=True,
        text=True,
        timeout=PREPARE_DEADLINE_S,
        check=False,
        user=account,
        group=account,
        extra_groups=None if account is None else [],
        cwd="/",
    )
    if done.returncode != 0:
        raise ProgramMissing(f"{Path(command[0]).name} failed: {done.stderr.strip()[-500:]}")


def _password_file(state_dir: Path) -> Path:
    return state_dir / "keys" / "postgresql.password"
