"""Artwork masters: objects, or rendered by their origin when they are not stored yet."""

from __future__ import annotations

from urllib.parse import quote

import aiohttp

from common.errors import ErrorKind, ServiceError
from media_pipeline.delivery.ports import ObjectReader

__all__ = ["StoredOrRenderedMasters"]

EXTENSIONS = ("png", "jpg")
RENDER_TIMEOUT_S = 5.0
MAX_MASTER_BYTES = 20 << 20


class StoredOrRenderedMasters:
    """The port on the object store and the titles service's internal address."""

    def __init__(self, objects: ObjectReader, http: aiohttp.ClientSession, origin_url: str) -> None:
        self._objects = objects
        self._http = http
        self._origin_url = origin_url.rstrip("/")

    async def fetch(self, title_id: str, role: str, variant: str) -> bytes | None:
        """The image file; None when there is no such artwork. Raises ServiceError UNAVAILABLE."""
        for extension in EXTENSIONS:
            try:
                return await self._objects.read(f"artwork/{title_id}/{role}/{variant}.{extension}")
            except FileNotFoundError:
                continue
        return await self._render(title_id, role, variant) if self._origin_url else None

    async def _render(self, title_id: str, role: str, variant: str) -> bytes | None:
        """The origin renders, stores and answers; it alone knows which titles have artwork."""
        elements = "/".join(quote(element, safe="") for element in (title_id, role, variant))
        url = f"{self._origin_url}/artwork-masters/{elements}"
        timeout = aiohttp.ClientTimeout(total=RENDER_TIMEOUT_S)
        try:
            async with self._http.get(url, timeout=timeout, allow_redirects=False) as answer:
                if answer.status == 404:
                    return None
                if answer.status != 200:
                    raise ServiceError(ErrorKind.UNAVAILABLE, "the artwork can't be rendered now; try again")
                content = await answer.content.read(MAX_MASTER_BYTES + 1)
                while not answer.content.at_eof() and len(content) <= MAX_MASTER_BYTES:
                    content += await answer.content.read(MAX_MASTER_BYTES + 1 - len(content))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServiceError(ErrorKind.UNAVAILABLE, "the artwork's origin is away; try again") from error
        if len(content) > MAX_MASTER_BYTES:
            raise ServiceError(ErrorKind.UNAVAILABLE, "the artwork is too large to be scaled")
        return content
