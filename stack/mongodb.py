"""A MongoDB of our own, from the installed `mongod`: below the state folder, on loopback alone, without a password."""

from __future__ import annotations

import shutil
from pathlib import Path

from stack.programs import Program, ProgramMissing, run_program
from stack.settings import StackSettings

__all__ = ["find_mongod", "mongodb_url", "run"]


def find_mongod() -> Path:
    """Its binary; raises ProgramMissing."""
    found = shutil.which("mongod")
    if found is None:
        raise ProgramMissing("MongoDB is not installed (no mongod in PATH; mongodb.com has packages of it)")
    return Path(found)


def mongodb_url(port: int, database: str) -> str:
    """The URL of one database of our server."""
    return f"mongodb://127.0.0.1:{port}/{database}"


def run() -> None:
    """Run the server until SIGTERM; its exit code becomes ours."""
    settings = StackSettings.load()
    folder = settings.shared.state_dir / "mongodb"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    listening = ("--bind_ip", "127.0.0.1", "--port", str(settings.mongodb_port), "--nounixsocket")
    run_program(Program((str(find_mongod()), "--dbpath", str(folder), *listening)))
