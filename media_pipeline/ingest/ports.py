"""What uploads need from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from media_pipeline.ingest.domain import Upload

__all__ = ["JobCreator", "PartExists", "UploadStore"]


class PartExists(Exception):
    """Another writer has stored bytes at this offset."""


class UploadStore(Protocol):
    """Uploads and their parts, durable when a method returns."""

    async def create(self, upload: Upload) -> None:
        """Store a new upload without bytes."""
        ...

    async def get(self, upload_id: str) -> Upload | None:
        """One upload with its true offset; None when there is none."""
        ...

    async def put_part(self, upload: Upload, offset_bytes: int, content: bytes, *, staged: str = "") -> None:
        """Store bytes at an offset; raises PartExists. Staged parts count only after commit_staged."""
        ...

    async def commit_staged(self, upload: Upload, staged: str) -> None:
        """Make staged parts count; raises PartExists."""
        ...

    async def drop_staged(self, upload: Upload, staged: str) -> None:
        """Forget staged parts."""
        ...

    async def set_job(self, upload: Upload, job_id: str) -> None:
        """Note which job a complete upload became."""
        ...

    async def delete(self, upload: Upload) -> None:
        """Remove an upload and its bytes."""
        ...

    def all_ids(self) -> AsyncIterator[str]:
        """Ids of all uploads that have not become a job."""
        ...


class JobCreator(Protocol):
    """Starts transcoding."""

    async def create_job(self, upload: Upload) -> str:
        """The id of the upload's job, the same when called again; raises ServiceError."""
        ...
