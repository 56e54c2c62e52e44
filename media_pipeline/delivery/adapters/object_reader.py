"""Reads and writes objects with obstore."""

from __future__ import annotations

from collections.abc import AsyncIterator

import obstore
from obstore.exceptions import BaseError

from common.errors import ErrorKind, ServiceError
from media_pipeline.delivery.byte_ranges import ByteRange
from media_pipeline.delivery.ports import StoredObject
from media_pipeline.kernel.object_store import ObjectStore

__all__ = ["ObstoreReader"]

CHUNK_BYTES = 256 << 10


class ObstoreReader:
    """The port on an object store. Trouble with the store is ServiceError UNAVAILABLE."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def head(self, path: str) -> StoredObject | None:
        """One object; None when there is none."""
        try:
            meta = await obstore.head_async(self._store, path)
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise _unavailable(path) from error
        etag = (meta["e_tag"] or f"{meta['last_modified'].timestamp():x}-{meta['size']:x}").strip('"')
        return StoredObject(path, meta["size"], f'"{etag}"')

    async def read(self, path: str) -> bytes:
        """All of a small object; raises FileNotFoundError."""
        try:
            answer = await obstore.get_async(self._store, path)
            return bytes(await answer.bytes_async())
        except BaseError as error:
            raise _unavailable(path) from error

    async def stream(self, path: str, byte_range: ByteRange) -> AsyncIterator[bytes]:
        """A part of an object, in chunks."""
        options: obstore.GetOptions = {"range": (byte_range.start, byte_range.end)}
        answer = await obstore.get_async(self._store, path, options=options)
        async for chunk in answer.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)

    async def put(self, path: str, content: bytes) -> None:
        """Store a small object."""
        try:
            await obstore.put_async(self._store, path, content)
        except BaseError as error:
            raise _unavailable(path) from error


def _unavailable(path: str) -> ServiceError:
    return ServiceError(ErrorKind.UNAVAILABLE, f"the object store is away; {path.rpartition('/')[2]} can't be had now")
