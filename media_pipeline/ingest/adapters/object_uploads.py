"""Uploads in the object store.

uploads/<id>/upload.json            the record, written once
uploads/<id>/parts/<offset>         bytes from that offset on, 16 digits so that names sort
uploads/<id>/staged/<token>/…       parts whose checksum is not known yet
uploads/<id>/job.json               written when the upload has become a job
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError

from media_pipeline.ingest.domain import Upload
from media_pipeline.ingest.ports import PartExists
from media_pipeline.kernel.object_store import ObjectStore

__all__ = ["ObjectUploadStore"]

_UPLOAD_ID = re.compile(r"^up_[0-9a-z]{26}$")
_PART_DIGITS = 16


class ObjectUploadStore:
    """The port on an object store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._finished: set[str] = set()

    async def create(self, upload: Upload) -> None:
        """Write the record."""
        record = {
            "id": upload.id,
            "owner": upload.owner,
            "lengthBytes": upload.length_bytes,
            "metadata": dict(upload.metadata),
            "createdAt": upload.created_at.isoformat(),
            "expiresAt": upload.expires_at.isoformat(),
        }
        await obstore.put_async(self._store, f"{upload.source_object}/upload.json", json.dumps(record).encode())

    async def get(self, upload_id: str) -> Upload | None:
        """The record, with the offset counted from the parts."""
        if not _UPLOAD_ID.fullmatch(upload_id):
            return None
        record = await self._read_json(f"uploads/{upload_id}/upload.json")
        if record is None:
            return None
        upload = Upload(
            id=record["id"],
            owner=record["owner"],
            length_bytes=record["lengthBytes"],
            metadata=record["metadata"],
            created_at=datetime.fromisoformat(record["createdAt"]),
            expires_at=datetime.fromisoformat(record["expiresAt"]),
        )
        offset_bytes = await self._count_offset(upload)
        job = await self._read_json(f"{upload.source_object}/job.json") if offset_bytes == upload.length_bytes else None
        return replace(upload, offset_bytes=offset_bytes, job_id=job["jobId"] if job else "")

    async def put_part(self, upload: Upload, offset_bytes: int, content: bytes, *, staged: str = "") -> None:
        """One object per part; creation is atomic, so of two writers one fails."""
        folder = f"staged/{staged}" if staged else "parts"
        path = f"{upload.source_object}/{folder}/{offset_bytes:0{_PART_DIGITS}d}"
        try:
            await obstore.put_async(self._store, path, content, mode="create")
        except AlreadyExistsError as error:
            raise PartExists(path) from error

    async def commit_staged(self, upload: Upload, staged: str) -> None:
        """Rename the parts in order, so that a crash in between leaves whole parts without a gap."""
        for path in sorted(await self._list(f"{upload.source_object}/staged/{staged}")):
            target = f"{upload.source_object}/parts/{path.rpartition('/')[2]}"
            try:
                await obstore.rename_async(self._store, path, target, overwrite=False)
            except AlreadyExistsError as error:
                raise PartExists(target) from error

    async def drop_staged(self, upload: Upload, staged: str) -> None:
        """Remove the staged parts."""
        await self._delete(await self._list(f"{upload.source_object}/staged/{staged}"))

    async def set_job(self, upload: Upload, job_id: str) -> None:
        """Write which job the upload became."""
        content = json.dumps({"jobId": job_id}).encode()
        await obstore.put_async(self._store, f"{upload.source_object}/job.json", content)
        self._finished.add(upload.id)

    async def delete(self, upload: Upload) -> None:
        """Remove the record first: bytes without a record are found by nobody and removed with the next call."""
        paths = await self._list(upload.source_object)
        record = f"{upload.source_object}/upload.json"
        await self._delete([path for path in paths if path == record])
        await self._delete([path for path in paths if path != record])

    async def all_ids(self) -> AsyncIterator[str]:
        """Ids of uploads that this process does not know to be finished."""
        listed = await obstore.list_with_delimiter_async(self._store, "uploads")
        for prefix in listed["common_prefixes"]:
            upload_id = prefix.rstrip("/").rpartition("/")[2]
            if upload_id in self._finished or not _UPLOAD_ID.fullmatch(upload_id):
                continue
            if await self._read_json(f"uploads/{upload_id}/job.json") is not None:
                self._finished.add(upload_id)
                continue
            yield upload_id

    async def _count_offset(self, upload: Upload) -> int:
        """The end of the unbroken row of parts from zero on."""
        sizes: dict[int, int] = {}
        async for batch in obstore.list(self._store, prefix=f"{upload.source_object}/parts"):
            sizes |= {int(item["path"].rpartition("/")[2]): item["size"] for item in batch}
        offset_bytes = 0
        while offset_bytes in sizes:
            offset_bytes += sizes[offset_bytes]
        return offset_bytes

    async def _read_json(self, path: str) -> Any:
        try:
            answer = await obstore.get_async(self._store, path)
        except FileNotFoundError:
            return None
        return json.loads(bytes(await answer.bytes_async()))

    async def _list(self, prefix: str) -> list[str]:
        paths: list[str] = []
        async for batch in obstore.list(self._store, prefix=prefix):
            paths += [item["path"] for item in batch]
        return paths

    async def _delete(self, paths: list[str]) -> None:
        if paths:
            await obstore.delete_async(self._store, paths)
