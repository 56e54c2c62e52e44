"""Artwork over HTTP: public, cached for long, refused for sizes that are not offered."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from common.errors import KIND_TABLE, ErrorKind, ServiceError
from media_pipeline.delivery.artwork import ArtworkService, read_artwork_request
from media_pipeline.kernel.problems import problem

__all__ = ["ArtworkEndpoint"]

CACHING = "public, max-age=86400, stale-while-revalidate=604800"


class ArtworkEndpoint:
    """HTTP in, a scaled picture out."""

    def __init__(self, artwork: ArtworkService) -> None:
        self._artwork = artwork

    async def serve(self, request: Request) -> Response:
        """Answer one GET or HEAD."""
        path = request.path_params
        try:
            wanted = read_artwork_request(path["title_id"], path["role"], path["variant"], path["size"])
            artwork = await self._artwork.get(wanted)
        except ServiceError as error:
            # Too busy is our trouble, not the client's: 503 is what caches and browsers repeat.
            busy = error.kind in {ErrorKind.RESOURCE_EXHAUSTED, ErrorKind.UNAVAILABLE}
            status = 503 if busy else KIND_TABLE[error.kind].http_status
            return problem(status, error.message, headers={"Retry-After": "1"} if busy else None)
        headers = {"Cache-Control": CACHING, "ETag": artwork.etag}
        if request.headers.get("If-None-Match") == artwork.etag:
            return Response(status_code=304, headers=headers)
        if request.method == "HEAD":
            headers["Content-Length"] = str(len(artwork.content))
            return Response(headers=headers, media_type=wanted.media_type)
        return Response(artwork.content, headers=headers, media_type=wanted.media_type)
