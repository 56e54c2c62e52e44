"""Passwords that nobody types: made once, kept in a file that the owner alone can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["password_in"]


def password_in(path: Path) -> str:
    """The password in this file; makes it at the first call. Safe in URLs."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text()
