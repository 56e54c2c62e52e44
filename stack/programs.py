"""Programs that are not ours (databases, caches, search): how one is started, told to stop, and never left behind."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from stack.lifeline import die_with_parent

__all__ = ["Program", "ProgramMissing", "account_other_than_root", "give_to", "run_program", "start_program"]


class ProgramMissing(Exception):
    """It is not installed, or cannot run here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, in the foreground; `stop` is the signal at which it ends its work in order.

    `account` is the user that it runs as, None for ours; `environment` is added to our own.
    """

    command: tuple[str, ...]
    stop: signal.Signals = signal.SIGTERM
    account: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def start_program(program: Program, output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Start it; it ends when the calling process ends, however that happens (Linux).

    Call it before any thread is started: that is when `preexec_fn` is safe.
    """
    group = pwd.getpwnam(program.account).pw_gid if program.account else None
    return subprocess.Popen(  # noqa: S603  # commands are put together in this package
        program.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        env={**os.environ, **program.environment},
        user=program.account,
        group=group,
        extra_groups=None if group is None else [],
        preexec_fn=functools.partial(die_with_parent, program.stop),  # noqa: PLW1509
    )


def run_program(program: Program) -> None:
    """Run it until SIGTERM; its exit code becomes ours."""
    server = start_program(program)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.send_signal(program.stop)

    signal.signal(signal.SIGTERM, stop)
    code = server.wait()
    sys.exit(0 if code in {0, -program.stop} else code)


def account_other_than_root(program: str, account: str) -> str | None:
    """Whom a program that refuses to run as root runs as: None for ourselves; raises ProgramMissing."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(account)
    except KeyError as error:
        raise ProgramMissing(
            f"{program} does not run as root and there is no user {account!r}; run Marquee as another user"
        ) from error
    return account


def give_to(account: str | None, folder: Path) -> None:
    """Let the account own the folder and reach it; raises ProgramMissing where a folder above is closed to it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if account is None:
        return
    shutil.chown(folder, account, account)
    closed = next((each for each in folder.resolve().parents if not each.stat().st_mode & 0o001), None)
    if closed is not None:
        raise ProgramMissing(
            f"{folder} cannot be reached by user {account!r}, who must own it, since {closed} is closed to others; "
            "run Marquee as another user than root, or set MARQUEE_STATE_DIR to a folder that is open to pass through"
        )
