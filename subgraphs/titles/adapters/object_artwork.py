"""The artwork store's port on an object store (obstore): a local folder, or a bucket by the same calls."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from obstore.store import LocalStore, ObjectStore

__all__ = ["ObjectArtworkStore"]


class ObjectArtworkStore:
    """Masters as objects."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Objects as files below a folder, which is created when missing."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(LocalStore(folder))

    async def read(self, path: str) -> bytes | None:
        """The object, or None."""
        try:
            found = await self._store.get_async(path)
        except FileNotFoundError:
            return None
        return bytes(await found.bytes_async())

    async def exists(self, path: str) -> bool:
        """Whether the object is there."""
        try:
            await self._store.head_async(path)
        except FileNotFoundError:
            return False
        return True

    async def write(self, path: str, content: bytes) -> None:
        """Whole or not at all: the store renames a finished file into place."""
        await self._store.put_async(path, content)
