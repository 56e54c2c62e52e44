"""Serves assets: signed paths, ranges, manifests made for the session.

/media/<token>/assets/<asset id>/…            and the same below /<pathway>/media/…
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from common.clock import Clock
from common.errors import KIND_TABLE, ServiceError
from media_pipeline.delivery.byte_ranges import ByteRange, RangeNotSatisfiable, read_range
from media_pipeline.delivery.cmcd import read_cmcd_headers, read_cmcd_query
from media_pipeline.delivery.ports import CmcdSink, ObjectReader, PathwayDirectory, StoredObject
from media_pipeline.delivery.session_manifests import (
    SessionPathway,
    SessionView,
    write_session_master,
    write_session_mpd,
)
from media_pipeline.kernel.media_token import MediaGrant, MediaTokenInvalid, MediaTokenKeys
from media_pipeline.kernel.problems import problem
from media_pipeline.media.asset_layout import DASH_MANIFEST, HLS_MASTER, rendition_lines

__all__ = ["MediaFiles", "media_type_of"]

MAX_PATH_CHARACTERS = 512
WHOLE_READ_BYTES = 4 << 20
"""Up to this size one read is faster than a stream, and small enough for many at once."""
SEGMENT_CACHING = "public, max-age=14400, immutable"
"""As long as the link is good; what is published never changes."""
MANIFEST_CACHING = "private, max-age=60"

_MEDIA_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
}


def media_type_of(path: str) -> str:
    """Content-Type by the object's name."""
    name = PurePosixPath(path)
    if "audio-" in path and name.suffix in {".m4s", ".mp4"}:
        return "audio/mp4"
    return _MEDIA_TYPES.get(name.suffix, "application/octet-stream")


class MediaFiles:
    """The endpoint over its ports. `public_url` is where licence and steering addresses begin."""

    def __init__(
        self,
        objects: ObjectReader,
        pathways: PathwayDirectory,
        token_keys: MediaTokenKeys,
        cmcd: CmcdSink,
        *,
        clock: Clock,
        public_url: str,
    ) -> None:
        self._objects = objects
        self._pathways = pathways
        self._token_keys = token_keys
        self._cmcd = cmcd
        self._clock = clock
        self._public_url = public_url

    async def serve(self, request: Request) -> Response:
        """Answer one GET or HEAD."""
        token, path = request.path_params["token"], request.path_params["path"]
        try:
            grant = self._token_keys.read(token, self._clock.now())
        except MediaTokenInvalid as error:
            return problem(403, str(error))
        if not _is_canonical(path, grant):
            return problem(404, "there is no such object in this asset")
        if grant.max_lines and rendition_lines(path) > grant.max_lines:
            return problem(403, f"this session plays up to {grant.max_lines} lines")
        self._note_cmcd(request)
        try:
            return await self._serve(request, token, grant, path)
        except FileNotFoundError:
            return problem(404, "there is no such object in this asset")
        except ServiceError as error:
            return problem(KIND_TABLE[error.kind].http_status, error.message, headers={"Retry-After": "1"})

    async def _serve(self, request: Request, token: str, grant: MediaGrant, path: str) -> Response:
        name = path.rpartition("/")[2]
        if name == HLS_MASTER:
            stored = (await self._objects.read(path)).decode()
            content = write_session_master(stored, await self._view(token, grant, path)).encode()
            return _whole(request, path, content, MANIFEST_CACHING)
        if name == DASH_MANIFEST:
            content = write_session_mpd(await self._objects.read(path), await self._view(token, grant, path))
            return _whole(request, path, content, MANIFEST_CACHING)
        stored_object = await self._objects.head(path)
        if stored_object is None:
            raise FileNotFoundError(path)
        return await self._object(request, stored_object)

    async def _object(self, request: Request, stored: StoredObject) -> Response:
        headers = {"Cache-Control": SEGMENT_CACHING, "ETag": stored.etag, "Accept-Ranges": "bytes"}
        if _matches(request.headers.get("If-None-Match"), stored.etag):
            return Response(status_code=304, headers=headers)
        range_header = request.headers.get("Range")
        if request.headers.get("If-Range", stored.etag) != stored.etag:
            range_header = None
        try:
            byte_range = read_range(range_header, stored.size_bytes)
        except RangeNotSatisfiable:
            return problem(
                416,
                f"the object has {stored.size_bytes} bytes",
                headers={"Content-Range": f"bytes */{stored.size_bytes}"},
            )
        status = 200
        if byte_range is not None:
            status = 206
            headers["Content-Range"] = byte_range.content_range(stored.size_bytes)
        wanted = byte_range or ByteRange(0, stored.size_bytes)
        headers["Content-Length"] = str(wanted.end - wanted.start)
        media_type = media_type_of(stored.path)
        if request.method == "HEAD" or wanted.end == wanted.start:
            return Response(status_code=status, headers=headers, media_type=media_type)
        chunks = self._objects.stream(stored.path, wanted)
        if wanted.end - wanted.start <= WHOLE_READ_BYTES:
            content = b"".join([chunk async for chunk in chunks])
            return Response(content, status_code=status, headers=headers, media_type=media_type)
        return StreamingResponse(chunks, status_code=status, headers=headers, media_type=media_type)

    async def _view(self, token: str, grant: MediaGrant, path: str) -> SessionView:
        base_urls = await self._pathways.base_urls()
        folder = path.rpartition("/")[0]
        return SessionView(
            pathways=[
                SessionPathway(pathway_id, f"{base_urls[pathway_id]}/media/{token}/{folder}/")
                for pathway_id in grant.pathways
                if pathway_id in base_urls
            ],
            hls_steering_url=f"{self._public_url}/steering/{token}/hls.json",
            dash_steering_url=f"{self._public_url}/steering/{token}/dash.json",
            licence_url=f"{self._public_url}/licence/clearkey",
            max_lines=grant.max_lines,
        )

    def _note_cmcd(self, request: Request) -> None:
        record = read_cmcd_headers(request.headers) or read_cmcd_query(request.url.query)
        if record:
            self._cmcd.offer(record)


def _is_canonical(path: str, grant: MediaGrant) -> bool:
    """Within the granted asset, spelled in the one way that the store uses: checked before anything else reads it."""
    elements = path.split("/")
    return (
        len(path) <= MAX_PATH_CHARACTERS
        and elements[:2] == ["assets", grant.asset_id]
        and all(element and element not in {".", ".."} for element in elements)
        and all(letter.isascii() and (letter.isalnum() or letter in "-_./") for letter in path)
    )


def _whole(request: Request, path: str, content: bytes, caching: str) -> Response:
    """A manifest: small, made for this request."""
    etag = f'"{blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"Cache-Control": caching, "ETag": etag}
    if _matches(request.headers.get("If-None-Match"), etag):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Length": str(len(content))}, media_type=media_type_of(path))
    return Response(content, headers=headers, media_type=media_type_of(path))


def _matches(header: str | None, etag: str) -> bool:
    """If-None-Match compares weakly and may list several."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags
