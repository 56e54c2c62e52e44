"""ModelStore on an object store (obstore): a local folder, or a bucket by the same calls.

Two objects per version: `<id>/model.npz`, then `<id>/about.json`. The second is written last, so that a version is
listed when it is whole; what a crash left of one is an object that nobody reads, deleted with the next `delete`.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from common.errors import ErrorKind, ServiceError
from subgraphs.recommendations.domain.model_versions import ModelVersion

__all__ = ["ObjectModelStore", "open_model_store"]

log = structlog.get_logger(__name__)

ABOUT, MODEL = "about.json", "model.npz"


def open_model_store(url: str, local_folder: Path) -> ObjectModelStore:
    """The store at `url`, or the local folder (made when missing) when the URL is empty; raises ValueError."""
    if not url:
        local_folder.mkdir(parents=True, exist_ok=True)
        return ObjectModelStore(LocalStore(local_folder.resolve(), mkdir=True, automatic_cleanup=True))
    try:
        return ObjectModelStore(from_url(url))
    except Exception as error:
        raise ValueError(f"model store URL {url!r} can't be opened: {error}; use s3://bucket/prefix") from error


class ObjectModelStore:
    """Versions as folders of objects."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, version: ModelVersion, content: bytes) -> None:
        """Keep a version; it is listed only once its bytes are there."""
        async with _translated():
            await self._store.put_async(f"{version.id}/{MODEL}", content)
            await self._store.put_async(f"{version.id}/{ABOUT}", msgspec.json.encode(version))

    async def versions(self) -> Sequence[ModelVersion]:
        """All that are kept, the newest first; what can't be read is logged and left out."""
        found: list[ModelVersion] = []
        async with _translated():
            for name in await self._paths(""):
                if not name.endswith(f"/{ABOUT}"):
                    continue
                raw = await (await self._store.get_async(name)).bytes_async()
                try:
                    found.append(msgspec.json.decode(bytes(raw), type=ModelVersion))
                except msgspec.MsgspecError as error:
                    log.warning("models.version_unreadable", object=name, error=str(error))
        return sorted(found, key=lambda version: version.id, reverse=True)

    async def read(self, version: ModelVersion) -> bytes:
        """Its bytes, checked against their sum. Raises ServiceError NOT_FOUND, or INTERNAL when they are damaged."""
        async with _translated():
            try:
                content = bytes(await (await self._store.get_async(f"{version.id}/{MODEL}")).bytes_async())
            except FileNotFoundError as error:
                raise ServiceError(ErrorKind.NOT_FOUND, f"the bytes of model {version.id} are gone") from error
        if hashlib.sha256(content).hexdigest() != version.sha256:
            raise ServiceError(ErrorKind.INTERNAL, f"the bytes of model {version.id} are damaged; train again")
        return content

    async def delete(self, version_id: str) -> None:
        """Forget a version; nothing happens when it is not there."""
        async with _translated():
            # The listing goes first, as it came last.
            for name in sorted(await self._paths(f"{version_id}/")):
                await self._store.delete_async(name)

    async def _paths(self, prefix: str) -> list[str]:
        return [str(row["path"]) async for rows in self._store.list(prefix or None) for row in rows]


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise ServiceError(ErrorKind.UNAVAILABLE, "the models' store can't be reached; try again") from error
