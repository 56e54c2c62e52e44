"""ModelStore, PolicyStore and ContentStore on an object store (obstore): a local folder, or a bucket by the same calls.

Two objects per version: `<id>/model.npz`, then `<id>/about.json`. The second is written last, so that a version is
listed when it is whole; what a crash left of one is an object that nobody reads, deleted with the next `delete`.
Contents are one object each, `content/<instant>-<sum>.npz`: whole or not there, and the name tells what is in it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Generic

import msgspec
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from common.errors import ErrorKind, ServiceError
from subgraphs.recommendations.domain.artwork_choice import PolicyVersion
from subgraphs.recommendations.domain.model_versions import ModelVersion, VersionT

__all__ = ["ObjectContentStore", "ObjectModelStore", "ObjectPolicyStore", "open_model_objects"]

log = structlog.get_logger(__name__)

ABOUT, MODEL = "about.json", "model.npz"
CONTENTS = "content/"
POLICIES = "artwork/"
KEPT_CONTENTS = 3
"""The last ones: who began to read one before the next was there finds it."""
SUM_DIGITS = 32


def open_model_objects(url: str, local_folder: Path) -> ObjectStore:
    """The objects at `url`, or the local folder (made when missing) when the URL is empty; raises ValueError."""
    if not url:
        local_folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(local_folder.resolve(), mkdir=True, automatic_cleanup=True)
    try:
        return from_url(url)
    except Exception as error:
        raise ValueError(f"model store URL {url!r} can't be opened: {error}; use s3://bucket/prefix") from error


class ObjectVersionStore(Generic[VersionT]):
    """Versions of one kind as folders of objects, right below `prefix`, which ends in / or is empty."""

    def __init__(self, store: ObjectStore, kind: type[VersionT], prefix: str = "") -> None:
        self._store = store
        self._kind = kind
        self._prefix = prefix

    async def put(self, version: VersionT, content: bytes) -> None:
        """Keep a version; it is listed only once its bytes are there."""
        async with _translated():
            await self._store.put_async(f"{self._prefix}{version.id}/{MODEL}", content)
            await self._store.put_async(f"{self._prefix}{version.id}/{ABOUT}", msgspec.json.encode(version))

    async def versions(self) -> Sequence[VersionT]:
        """All that are kept, the newest first; what can't be read is logged and left out."""
        found: list[VersionT] = []
        async with _translated():
            for name in await _paths(self._store, self._prefix):
                if not name.endswith(f"/{ABOUT}") or name.count("/") != self._prefix.count("/") + 1:
                    continue
                raw = await (await self._store.get_async(name)).bytes_async()
                try:
                    found.append(msgspec.json.decode(bytes(raw), type=self._kind))
                except msgspec.MsgspecError as error:
                    log.warning("models.version_unreadable", object=name, error=str(error))
        return sorted(found, key=lambda version: version.id, reverse=True)

    async def read(self, version: VersionT) -> bytes:
        """Its bytes, checked against their sum. Raises ServiceError NOT_FOUND, or INTERNAL when they are damaged."""
        async with _translated():
            try:
                content = bytes(
                    await (await self._store.get_async(f"{self._prefix}{version.id}/{MODEL}")).bytes_async()
                )
            except FileNotFoundError as error:
                raise ServiceError(ErrorKind.NOT_FOUND, f"the bytes of model {version.id} are gone") from error
        # Tens of megabytes: in a thread, beside requests.
        if (await asyncio.to_thread(hashlib.sha256, content)).hexdigest() != version.sha256:
            raise ServiceError(ErrorKind.INTERNAL, f"the bytes of model {version.id} are damaged; train again")
        return content

    async def delete(self, version_id: str) -> None:
        """Forget a version; nothing happens when it is not there."""
        async with _translated():
            # The listing goes first, as it came last.
            for name in sorted(await _paths(self._store, f"{self._prefix}{version_id}/")):
                await self._store.delete_async(name)


class ObjectModelStore(ObjectVersionStore[ModelVersion]):
    """The models' versions."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store, ModelVersion)


class ObjectPolicyStore(ObjectVersionStore[PolicyVersion]):
    """The versions of artwork's policies, below the models'."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store, PolicyVersion, POLICIES)


class ObjectContentStore:
    """Contents beside the versions."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, made_at: datetime, data: bytes) -> str:
        """See ContentStore.put."""
        content_id = f"{made_at:%Y%m%dT%H%M%S}.{made_at.microsecond:06}-{_sum(data)}"
        async with _translated():
            await self._store.put_async(f"{CONTENTS}{content_id}.npz", data)
            for old in (await self._ids())[:-KEPT_CONTENTS]:
                await self._store.delete_async(f"{CONTENTS}{old}.npz")
        return content_id

    async def newest(self) -> str | None:
        """See ContentStore.newest."""
        async with _translated():
            return next(reversed(await self._ids()), None)

    async def read(self, content_id: str) -> bytes:
        """See ContentStore.read."""
        async with _translated():
            try:
                data = bytes(await (await self._store.get_async(f"{CONTENTS}{content_id}.npz")).bytes_async())
            except FileNotFoundError as error:
                raise ServiceError(ErrorKind.NOT_FOUND, f"the bytes of content {content_id} are gone") from error
        if not content_id.endswith(await asyncio.to_thread(_sum, data)):
            raise ServiceError(ErrorKind.INTERNAL, f"the bytes of content {content_id} are damaged; train again")
        return data

    async def _ids(self) -> list[str]:
        return sorted(name.removeprefix(CONTENTS).removesuffix(".npz") for name in await _paths(self._store, CONTENTS))


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:SUM_DIGITS]


async def _paths(store: ObjectStore, prefix: str) -> list[str]:
    return [str(row["path"]) async for rows in store.list(prefix or None) for row in rows]


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise ServiceError(ErrorKind.UNAVAILABLE, "the models' store can't be reached; try again") from error
