"""Artwork in the sizes that devices ask for: scaled once, then an object like any other.

/artwork/<title id>/<role>/<variant>/<W>x<H>.<jpeg|webp|avif|png>
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from hashlib import blake2b

from common.errors import ErrorKind, ServiceError
from media_pipeline.delivery.artwork_sizes import IMAGE_FORMATS, SIZES_BY_ROLE
from media_pipeline.delivery.images import ImagePool, ImageUnreadable
from media_pipeline.delivery.ports import ArtworkMasters, ObjectReader

__all__ = ["ArtworkRequest", "ArtworkService", "ScaledArtwork", "read_artwork_request"]

WHOLE_ROLES = frozenset({"logo"})
"""Roles whose picture must not be cropped."""
_ID = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.:~-]{0,127}$")
_VARIANT = re.compile(r"^[A-Za-z0-9_-]{1,32}$")
_SIZE = re.compile(r"^([1-9]\d{0,4})x([1-9]\d{0,4})\.([a-z]{3,4})$")


@dataclass(frozen=True, slots=True)
class ArtworkRequest:
    """One picture in one size and format, all of them allowed."""

    title_id: str
    role: str
    variant: str
    size_px: tuple[int, int]
    extension: str

    @property
    def cache_path(self) -> str:
        """Where the scaled picture is kept."""
        size = f"{self.size_px[0]}x{self.size_px[1]}"
        return f"artwork-scaled/{self.title_id}/{self.role}/{self.variant}/{size}.{self.extension}"

    @property
    def media_type(self) -> str:
        """For Content-Type."""
        return IMAGE_FORMATS[self.extension][1]


@dataclass(frozen=True, slots=True)
class ScaledArtwork:
    """The picture and its quoted ETag."""

    content: bytes
    etag: str


def read_artwork_request(title_id: str, role: str, variant: str, size: str) -> ArtworkRequest:
    """Check a path's elements; raises ServiceError NOT_FOUND naming what is not offered."""
    match = _SIZE.fullmatch(size)
    if role not in SIZES_BY_ROLE or not _ID.fullmatch(title_id) or not _VARIANT.fullmatch(variant):
        raise ServiceError(ErrorKind.NOT_FOUND, f"there is no such artwork; roles are {', '.join(SIZES_BY_ROLE)}")
    if match is None or match.group(3) not in IMAGE_FORMATS:
        raise ServiceError(ErrorKind.NOT_FOUND, f"{size[:40]!r} is not offered; formats are {', '.join(IMAGE_FORMATS)}")
    size_px = (int(match.group(1)), int(match.group(2)))
    if size_px not in SIZES_BY_ROLE[role]:
        offered = ", ".join(f"{width}x{height}" for width, height in sorted(SIZES_BY_ROLE[role]))
        raise ServiceError(ErrorKind.NOT_FOUND, f"{size[:40]} is not offered for a {role}; sizes are {offered}")
    return ArtworkRequest(title_id, role, variant, size_px, match.group(3))


class ArtworkService:
    """Finds or makes scaled pictures; many who ask for one at once wait for one."""

    def __init__(self, objects: ObjectReader, masters: ArtworkMasters, pool: ImagePool) -> None:
        self._objects = objects
        self._masters = masters
        self._pool = pool
        self._in_work: dict[ArtworkRequest, asyncio.Task[bytes]] = {}

    async def get(self, request: ArtworkRequest) -> ScaledArtwork:
        """The picture; raises ServiceError NOT_FOUND, UNAVAILABLE or RESOURCE_EXHAUSTED."""
        try:
            content = await self._objects.read(request.cache_path)
        except FileNotFoundError:
            # Shielded: who leaves does not take the picture away from the others who wait for it.
            content = await asyncio.shield(self._task(request))
        return ScaledArtwork(content, f'"{blake2b(content, digest_size=12).hexdigest()}"')

    def _task(self, request: ArtworkRequest) -> asyncio.Task[bytes]:
        task = self._in_work.get(request)
        if task is None:
            task = asyncio.create_task(self._make(request))
            self._in_work[request] = task
            task.add_done_callback(lambda _: self._in_work.pop(request, None))
        return task

    async def _make(self, request: ArtworkRequest) -> bytes:
        master = await self._masters.fetch(request.title_id, request.role, request.variant)
        if master is None:
            raise ServiceError(ErrorKind.NOT_FOUND, f"title {request.title_id} has no {request.role}")
        try:
            content = await self._pool.scale(
                master, request.size_px, request.extension, keeps_whole=request.role in WHOLE_ROLES
            )
        except ImageUnreadable as error:
            raise ServiceError(ErrorKind.NOT_FOUND, f"title {request.title_id} has no usable {request.role}") from error
        await self._objects.put(request.cache_path, content)
        return content
