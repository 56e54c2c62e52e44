"""Uploads' use cases: create, append, look, end, and tidy up.

The offset is the truth: it is counted from the parts that are stored, never from what somebody remembers. A second
writer to one upload does not wait for the first to time out: the first is stopped, what it had is stored, and the
second goes on from there or is told the new offset.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog

from common.clock import Clock
from common.errors import ErrorKind, ServiceError
from media_pipeline.ingest.domain import IngestRules, Upload
from media_pipeline.ingest.ports import JobCreator, PartExists, UploadStore
from media_pipeline.kernel.ids import new_id

__all__ = [
    "CHECKSUM_ALGORITHMS",
    "ChecksumMismatch",
    "ExpectedChecksum",
    "OffsetConflict",
    "UploadGone",
    "UploadTooLarge",
    "Uploads",
]

log = structlog.get_logger(__name__)

CHECKSUM_ALGORITHMS = ("sha1", "sha256")


class OffsetConflict(Exception):
    """The bytes do not continue the upload; `offset_bytes` is where it stands."""

    def __init__(self, offset_bytes: int) -> None:
        super().__init__(f"the upload stands at byte {offset_bytes}; continue there")
        self.offset_bytes = offset_bytes


class ChecksumMismatch(Exception):
    """The bytes are not those that were sent; none of them was kept."""


class UploadTooLarge(Exception):
    """More bytes than are taken, or than were announced."""


class UploadGone(Exception):
    """The upload has expired."""


@dataclass(frozen=True, slots=True)
class ExpectedChecksum:
    """What the client says of a request's bytes."""

    algorithm: str
    digest: bytes


@dataclass
class _Writer:
    """The one request that writes to an upload now. `scope` ends it when another one comes or it falls silent."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    scope: asyncio.Timeout | None = None
    waiting_count: int = 0


class Uploads:
    """The use cases over the ports."""

    def __init__(self, store: UploadStore, jobs: JobCreator, clock: Clock, rules: IngestRules) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self.rules = rules
        self._writers: dict[str, _Writer] = {}

    async def create(self, owner: str, length_bytes: int, metadata: dict[str, str]) -> Upload:
        """A new upload without bytes; raises UploadTooLarge, or ServiceError when the owner has too many open ones."""
        if length_bytes > self.rules.max_bytes:
            raise UploadTooLarge(f"{length_bytes} bytes are too many, at most {self.rules.max_bytes} are taken")
        if length_bytes <= 0:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT, f"Upload-Length is {length_bytes}; a film has at least one byte"
            )
        if await self._open_count(owner) >= self.rules.max_open_per_owner:
            raise ServiceError(
                ErrorKind.RESOURCE_EXHAUSTED,
                f"{self.rules.max_open_per_owner} uploads are open; finish or remove one before the next",
            )
        now = self._clock.now()
        upload = Upload(
            id=new_id("up", now),
            owner=owner,
            length_bytes=length_bytes,
            metadata=metadata,
            created_at=now,
            expires_at=now + self.rules.life,
        )
        await self._store.create(upload)
        return upload

    async def get(self, owner: str, upload_id: str) -> Upload:
        """One upload of this owner; raises ServiceError NOT_FOUND or UploadGone."""
        upload = await self._store.get(upload_id)
        if upload is None or upload.owner != owner:
            raise ServiceError(ErrorKind.NOT_FOUND, f"there is no upload {upload_id[:64]!r}")
        if not upload.is_complete and self._clock.now() >= upload.expires_at:
            raise UploadGone(f"upload {upload_id} has expired; start a new one")
        return upload

    async def append(
        self,
        upload: Upload,
        offset_bytes: int,
        body: AsyncIterator[bytes],
        checksum: ExpectedChecksum | None = None,
    ) -> Upload:
        """Store a request's bytes and return the upload as it then is.

        Raises OffsetConflict, ChecksumMismatch, or UploadTooLarge when there are more bytes than the upload has. What
        came before a broken connection is kept, unless a checksum was to be checked.
        """
        writer = self._writers.setdefault(upload.id, _Writer())
        if writer.scope is not None:
            writer.scope.reschedule(asyncio.get_running_loop().time())
        writer.waiting_count += 1
        try:
            async with writer.lock:
                current = await self._store.get(upload.id)
                if current is None or current.offset_bytes != offset_bytes:
                    raise OffsetConflict(current.offset_bytes if current else 0)
                try:
                    await self._write(writer, current, body, checksum)
                finally:
                    writer.scope = None
        finally:
            writer.waiting_count -= 1
            if writer.waiting_count == 0:
                self._writers.pop(upload.id, None)
        after = await self._store.get(upload.id)
        assert after is not None
        return await self.finish(after) if after.is_complete else after

    async def finish(self, upload: Upload) -> Upload:
        """Start transcoding of a complete upload. If that can't be done now, tidy() tries again: the bytes are safe."""
        if upload.job_id:
            return upload
        try:
            job_id = await self._jobs.create_job(upload)
        except ServiceError as error:
            log.warning("upload.job_delayed", upload_id=upload.id, error=error.message)
            return upload
        await self._store.set_job(upload, job_id)
        log.info("upload.complete", upload_id=upload.id, job_id=job_id, size=upload.length_bytes)
        return await self._store.get(upload.id) or upload

    async def terminate(self, upload: Upload) -> None:
        """Remove an upload; raises ServiceError FAILED_PRECONDITION once it has become a job."""
        if upload.job_id:
            raise ServiceError(
                ErrorKind.FAILED_PRECONDITION, f"upload {upload.id} has become job {upload.job_id}; cancel that instead"
            )
        await self._store.delete(upload)

    async def tidy(self) -> None:
        """Remove expired uploads, and start the jobs of complete ones that have none yet."""
        async for upload_id in self._store.all_ids():
            upload = await self._store.get(upload_id)
            if upload is None or upload.job_id:
                continue
            if upload.is_complete:
                await self.finish(upload)
            elif self._clock.now() >= upload.expires_at:
                log.info("upload.expired", upload_id=upload_id, offset=upload.offset_bytes)
                await self._store.delete(upload)

    async def _open_count(self, owner: str) -> int:
        """How many unfinished uploads an owner has. Few uploads are unfinished at any time, so they are counted."""
        count = 0
        async for upload_id in self._store.all_ids():
            upload = await self._store.get(upload_id)
            count += upload is not None and upload.owner == owner and not upload.is_complete
        return count

    async def _write(
        self, writer: _Writer, upload: Upload, body: AsyncIterator[bytes], checksum: ExpectedChecksum | None
    ) -> None:
        staged = secrets.token_hex(8) if checksum else ""
        digest = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        parts = _PartBuffer(self._store, upload, self.rules.part_bytes, staged)
        try:
            async with asyncio.timeout(None) as scope:
                writer.scope = scope
                await self._read_body(scope, body, parts, digest)
        except TimeoutError as error:
            await parts.flush()
            raise OffsetConflict(parts.offset_bytes) from error
        except PartExists as error:
            raise OffsetConflict(parts.offset_bytes) from error
        finally:
            # Also after a broken connection: what arrived was sent once already.
            writer.scope = None
            if not staged:
                await parts.flush()
        if checksum is not None and digest is not None:
            await parts.flush()
            if not hmac.compare_digest(digest.digest(), checksum.digest):
                await self._store.drop_staged(upload, staged)
                raise ChecksumMismatch(f"the {checksum.algorithm} of the received bytes is another; send them again")
            await self._store.commit_staged(upload, staged)

    async def _read_body(
        self, scope: asyncio.Timeout, body: AsyncIterator[bytes], parts: _PartBuffer, digest: hashlib._Hash | None
    ) -> None:
        """All chunks into parts. Each one puts the silence limit off, unless another writer has ended this one."""
        loop = asyncio.get_running_loop()
        scope.reschedule(loop.time() + self.rules.idle_timeout_s)
        async for chunk in body:
            if digest is not None:
                digest.update(chunk)
            await parts.add(chunk)
            if (scope.when() or 0) > loop.time():
                scope.reschedule(loop.time() + self.rules.idle_timeout_s)


class _PartBuffer:
    """Collects chunks into parts and stores each when it is full."""

    def __init__(self, store: UploadStore, upload: Upload, part_bytes: int, staged: str) -> None:
        self._store = store
        self._upload = upload
        self._part_bytes = part_bytes
        self._staged = staged
        self._buffer = bytearray()
        self.offset_bytes = upload.offset_bytes

    async def add(self, chunk: bytes) -> None:
        """Take a chunk; raises UploadTooLarge when the upload would become longer than announced."""
        total = self.offset_bytes + len(self._buffer) + len(chunk)
        if total > self._upload.length_bytes:
            raise UploadTooLarge(
                f"more bytes than announced: {total} of {self._upload.length_bytes}; check Upload-Length"
            )
        self._buffer += chunk
        while len(self._buffer) >= self._part_bytes:
            await self._store_part(self._part_bytes)

    async def flush(self) -> None:
        """Store what is left."""
        if self._buffer:
            await self._store_part(len(self._buffer))

    async def _store_part(self, size_bytes: int) -> None:
        content = bytes(self._buffer[:size_bytes])
        del self._buffer[:size_bytes]
        await self._store.put_part(self._upload, self.offset_bytes, content, staged=self._staged)
        self.offset_bytes += size_bytes
