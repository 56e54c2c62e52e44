"""What an import has met so far: keys with their lines, people by key, ids that the file lists.

On disk and not in memory, so that a file of a million rows takes no more memory than one of a thousand. Thrown away
with the import's folder, and made anew by reading when an import is resumed; so it needs no safety against crashes.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Seen"]

_CACHE_KIB = 4_096


class Seen:
    """A context manager; used by one thread at a time, not always the same."""

    def __init__(self, path: Path | None = None) -> None:
        """Empty, in a file that is replaced, or in memory for small files."""
        if path is not None:
            path.unlink(missing_ok=True)
        self._database = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False)
        self._database.isolation_level = None
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            f"PRAGMA cache_size = -{_CACHE_KIB}",
            "CREATE TABLE keys (digest BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID",
            "CREATE TABLE names (digest BLOB PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID",
            # One transaction to the end: without it each row would be one.
            "BEGIN",
        ):
            self._database.execute(statement)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the file."""
        self._database.close()

    def first_line(self, *key: str, line: int) -> int:
        """The line that a key was first met at, which is `line` when it is new."""
        digest = _digest(key)
        added = self._database.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (digest, line))
        if added.rowcount:
            return line
        (first,) = self._database.execute("SELECT line FROM keys WHERE digest = ?", (digest,)).fetchone()
        return int(first)

    def has(self, *key: str) -> bool:
        """Whether `first_line` was asked for this key."""
        return self._database.execute("SELECT 1 FROM keys WHERE digest = ?", (_digest(key),)).fetchone() is not None

    def set_name(self, key: str, name: str) -> None:
        """Keep a person's name under the file's own key."""
        self._database.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", (_digest((key,)), name))

    def name(self, key: str) -> str | None:
        """The name under a key."""
        row: Sequence[str] | None = self._database.execute(
            "SELECT name FROM names WHERE digest = ?", (_digest((key,)),)
        ).fetchone()
        return None if row is None else row[0]


def _digest(key: tuple[str, ...]) -> bytes:
    text = "\x1f".join(key).encode(errors="surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()
