"""Objects as a worker's files: sources fetched, packages stored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError

from media_pipeline.kernel.object_store import ObjectStore

__all__ = ["ObjectFiles"]

CONCURRENT_PUTS = 8


class ObjectFiles:
    """The port on an object store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def download(self, source_object: str, target: Path) -> None:
        """Fetch a source: one object, or the parts below `<source_object>/parts/` joined in the order of their names.

        Raises FileNotFoundError when there is neither.
        """
        parts: list[str] = []
        async for batch in obstore.list(self._store, prefix=f"{source_object}/parts"):
            parts += [str(item["path"]) for item in batch]
        with target.open("wb") as file:
            for path in sorted(parts) or [source_object]:
                await self._append(path, file)

    async def upload(self, folder: Path, prefix: str, names: Sequence[str]) -> None:
        """Store files, some at a time; raises what the store raises."""
        for start in range(0, len(names), CONCURRENT_PUTS):
            async with asyncio.TaskGroup() as group:
                for name in names[start : start + CONCURRENT_PUTS]:
                    group.create_task(self._put(folder / name, f"{prefix}/{name}"))

    async def delete_prefix(self, prefix: str) -> None:
        """Remove everything below a prefix."""
        async for batch in obstore.list(self._store, prefix=prefix):
            await obstore.delete_async(self._store, [item["path"] for item in batch])

    async def _put(self, file_path: Path, object_path: str) -> None:
        try:
            await obstore.put_async(self._store, object_path, file_path)
        except BaseError as error:
            raise OSError(f"the object store did not take {object_path}: {error}") from error

    async def _append(self, object_path: str, file: BinaryIO) -> None:
        try:
            answer = await obstore.get_async(self._store, object_path)
            async for chunk in answer.stream():
                await asyncio.to_thread(file.write, chunk)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"no source {object_path} in the object store") from error
        except BaseError as error:
            raise OSError(f"the object store did not give {object_path}: {error}") from error
