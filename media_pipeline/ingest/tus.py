"""The tus 1.0 protocol over the use cases: core, creation, creation-with-upload, expiration, checksum, termination.

https://tus.io/protocols/resumable-upload. Errors are problem+json (RFC 9457); their status codes are the protocol's
own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from email.utils import format_datetime

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from common.errors import KIND_TABLE, ErrorKind, ServiceError
from media_pipeline.ingest.adapters.studio_tokens import StudioTokens
from media_pipeline.ingest.domain import MetadataInvalid, Upload, read_metadata, write_metadata
from media_pipeline.ingest.services import (
    CHECKSUM_ALGORITHMS,
    ChecksumMismatch,
    ExpectedChecksum,
    OffsetConflict,
    UploadGone,
    Uploads,
    UploadTooLarge,
)
from media_pipeline.kernel.problems import problem

__all__ = ["TUS_REQUEST_HEADERS", "TUS_RESPONSE_HEADERS", "TusEndpoint"]

log = structlog.get_logger(__name__)

TUS_VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
BODY_TYPE = "application/offset+octet-stream"
CHECKSUM_MISMATCH_STATUS = 460
JOB_HEADER = "Upload-Job-Id"
TUS_REQUEST_HEADERS = (
    *("Tus-Resumable", "Upload-Length", "Upload-Metadata", "Upload-Offset", "Upload-Checksum"),
    "X-HTTP-Method-Override",
)
TUS_RESPONSE_HEADERS = (
    *("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"),
    *("Location", "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires", JOB_HEADER),
)

_Handler = Callable[[Request, str], Awaitable[Response]]


class _Refused(Exception):
    """A request that the protocol answers with this status."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class TusEndpoint:
    """HTTP in, use cases out. `public_url` is the address of the collection, for Location."""

    def __init__(self, uploads: Callable[[], Uploads], tokens: Callable[[], StudioTokens], public_url: str) -> None:
        self._uploads = uploads
        self._tokens = tokens
        self._public_url = public_url

    def routes(self) -> list[Route]:
        """The two resources: the collection and one upload."""
        return [
            Route("/uploads", self._collection, methods=["OPTIONS", "POST"]),
            Route("/uploads/{upload_id}", self._upload, methods=["OPTIONS", "HEAD", "PATCH", "DELETE", "POST"]),
        ]

    async def _collection(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return self._options()
        return await self._answer(request, self._create)

    async def _upload(self, request: Request) -> Response:
        # Some environments can't send PATCH or DELETE.
        method = request.headers.get("X-HTTP-Method-Override", request.method).upper()
        if method == "OPTIONS":
            return self._options()
        handlers: dict[str, _Handler] = {"HEAD": self._head, "PATCH": self._patch, "DELETE": self._delete}
        handler = handlers.get(method)
        if handler is None:
            return problem(405, f"{method[:16]} is not possible here; use HEAD, PATCH or DELETE")
        return await self._answer(request, handler)

    async def _answer(self, request: Request, handler: _Handler) -> Response:
        """Runs a handler and turns what it raises into the protocol's answers."""
        try:
            _require_version(request)
            owner = await self._tokens().owner(request.headers.get("Authorization"))
            response = await handler(request, owner)
        except _Refused as error:
            response = problem(error.status, str(error), headers=error.headers)
        except OffsetConflict as error:
            response = problem(409, str(error), headers={"Upload-Offset": str(error.offset_bytes)})
        except ChecksumMismatch as error:
            response = problem(CHECKSUM_MISMATCH_STATUS, str(error))
        except UploadGone as error:
            response = problem(410, str(error))
        except UploadTooLarge as error:
            response = problem(413, str(error))
        except ServiceError as error:
            # 412 is taken by the protocol for versions
            conflict = error.kind is ErrorKind.FAILED_PRECONDITION
            response = problem(409 if conflict else KIND_TABLE[error.kind].http_status, error.message)
        except ClientDisconnect:
            log.info("upload.interrupted", path=request.url.path)
            response = problem(400, "the connection broke; ask for the offset and go on from there")
        response.headers["Tus-Resumable"] = TUS_VERSION
        return response

    def _options(self) -> Response:
        return Response(
            status_code=204,
            headers={
                "Tus-Resumable": TUS_VERSION,
                "Tus-Version": TUS_VERSION,
                "Tus-Extension": EXTENSIONS,
                "Tus-Max-Size": str(self._uploads().rules.max_bytes),
                "Tus-Checksum-Algorithm": ",".join(CHECKSUM_ALGORITHMS),
            },
        )

    async def _create(self, request: Request, owner: str) -> Response:
        length_bytes = _number(request, "Upload-Length")
        try:
            metadata = read_metadata(request.headers.get("Upload-Metadata", ""))
        except MetadataInvalid as error:
            raise _Refused(400, str(error)) from error
        upload = await self._uploads().create(owner, length_bytes, metadata)
        headers = {"Location": f"{self._public_url}/{upload.id}", "Upload-Expires": _http_date(upload)}
        if request.headers.get("Content-Type") == BODY_TYPE:
            upload = await self._append(request, upload, 0)
            headers |= {"Upload-Offset": str(upload.offset_bytes), **_job_header(upload)}
        return Response(status_code=201, headers=headers)

    async def _head(self, request: Request, owner: str) -> Response:
        upload = await self._uploads().get(owner, request.path_params["upload_id"])
        headers = {
            "Upload-Offset": str(upload.offset_bytes),
            "Upload-Length": str(upload.length_bytes),
            "Upload-Metadata": write_metadata(upload.metadata),
            "Upload-Expires": _http_date(upload),
            "Cache-Control": "no-store",
        }
        return Response(status_code=200, headers=headers | _job_header(upload))

    async def _patch(self, request: Request, owner: str) -> Response:
        if request.headers.get("Content-Type") != BODY_TYPE:
            raise _Refused(415, f"Content-Type must be {BODY_TYPE}")
        offset_bytes = _number(request, "Upload-Offset")
        upload = await self._uploads().get(owner, request.path_params["upload_id"])
        upload = await self._append(request, upload, offset_bytes)
        headers = {"Upload-Offset": str(upload.offset_bytes), "Upload-Expires": _http_date(upload)}
        return Response(status_code=204, headers=headers | _job_header(upload))

    async def _delete(self, request: Request, owner: str) -> Response:
        upload = await self._uploads().get(owner, request.path_params["upload_id"])
        await self._uploads().terminate(upload)
        return Response(status_code=204)

    async def _append(self, request: Request, upload: Upload, offset_bytes: int) -> Upload:
        return await self._uploads().append(upload, offset_bytes, request.stream(), _expected_checksum(request))


def _require_version(request: Request) -> None:
    if request.headers.get("Tus-Resumable") != TUS_VERSION:
        raise _Refused(412, f"Tus-Resumable must be {TUS_VERSION}", {"Tus-Version": TUS_VERSION})


def _number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise _Refused(400, f"{name} is {text[:32]!r}, wanted a whole number of bytes")
    return int(text)


def _expected_checksum(request: Request) -> ExpectedChecksum | None:
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    algorithm, _, encoded = header.partition(" ")
    if algorithm not in CHECKSUM_ALGORITHMS:
        raise _Refused(400, f"checksum {algorithm[:32]!r} is not offered; use {' or '.join(CHECKSUM_ALGORITHMS)}")
    try:
        return ExpectedChecksum(algorithm, base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError) as error:
        raise _Refused(400, "the value of Upload-Checksum is not base64") from error


def _http_date(upload: Upload) -> str:
    return format_datetime(upload.expires_at, usegmt=True)


def _job_header(upload: Upload) -> dict[str, str]:
    return {JOB_HEADER: upload.job_id} if upload.job_id else {}
