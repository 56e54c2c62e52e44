"""Routes for the product's own processes, beside GraphQL and never behind the gateway.

GET  /artwork-masters/{title_id}/{role}/{variant}   a master for delivery, drawn when it is not there
POST /internal/imports?format=…                     a catalogue file as the body; progress and report as JSON lines
POST /internal/republish                            tell every title to the other services again
POST /internal/reindex                              rebuild the search index; searches go on meanwhile

The POST routes take a service token. Masters need none: delivery shows the same pictures to everybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from common.errors import KIND_TABLE, ServiceError
from common.tokens import TokenInvalid, TokenVerifier
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.artwork_sizes import VARIANTS
from subgraphs.titles.domain.artwork_reference import ArtworkRole
from subgraphs.titles.domain.rights import effective_facts
from subgraphs.titles.imports.client import write_progress_line, write_report_line
from subgraphs.titles.imports.run import FORMATS, ImportProgress, ImportRefused, ImportReport, import_catalogue
from subgraphs.titles.ports import TitleStore
from subgraphs.titles.services.catalogue import Catalogue
from subgraphs.titles.services.following import ChangeFollower
from subgraphs.titles.services.indexing import SearchUpdater
from subgraphs.titles.services.masters import MasterService
from subgraphs.titles.services.writing import CatalogueWriter

__all__ = ["InternalServices", "internal_routes"]

log = structlog.get_logger(__name__)

MASTER_CACHE_CONTROL = "public, max-age=31536000, immutable"
INDEX_WAIT_S = 120.0
"""How long an import waits for the search index after its last row; the index goes on without it."""

CANCEL_AGAIN_S = 0.1
"""A cancellation can get lost before Python 3.12, when it arrives together with what is waited for."""


@dataclass(frozen=True, slots=True)
class InternalServices:
    """What the routes use."""

    catalogue: Catalogue
    writer: CatalogueWriter
    masters: MasterService
    store: TitleStore
    search_follower: ChangeFollower
    search_updater: SearchUpdater
    announce: Callable[[], None]
    jwks_path: Path
    upload_dir: Path
    max_import_bytes: int
    rendering_errors: tuple[type[Exception], ...]
    importing: asyncio.Lock


def internal_routes() -> list[Route]:
    """The routes; they find their services in the application's state."""
    return [
        Route("/artwork-masters/{title_id}/{role}/{variant}", _master, methods=["GET"]),
        Route("/internal/imports", _guarded(_import), methods=["POST"]),
        Route("/internal/republish", _guarded(_republish), methods=["POST"]),
        Route("/internal/reindex", _guarded(_reindex), methods=["POST"]),
    ]


Handler = Callable[[Request, InternalServices], Awaitable[Response]]


def _services(request: Request) -> InternalServices:
    services = request.app.state.resources
    assert isinstance(services, InternalServices)  # set by app.py when the application starts
    return services


def _guarded(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Only for bearers of a service token."""

    async def guarded(request: Request) -> Response:
        services = _services(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            # Without "Bearer" there is nothing to verify, and an empty token is refused like any other.
            TokenVerifier.for_service(services.jwks_path).verify(token.strip() if scheme.lower() == "bearer" else "")
        except (TokenInvalid, FileNotFoundError) as error:
            log.warning("internal.refused", path=request.url.path, error=str(error))
            return _error(401, "this route needs a service token: Authorization: Bearer <token>")
        return await handler(request, services)

    return guarded


async def _master(request: Request) -> Response:
    services = _services(request)
    role_name = str(request.path_params["role"]).upper()
    variant = str(request.path_params["variant"])
    title_id = TitleId(str(request.path_params["title_id"]))
    title = (await services.catalogue.titles([title_id])).get(title_id)
    parent_id = None if title is None else title.parent_id
    parent = None if parent_id is None else (await services.catalogue.titles([parent_id])).get(parent_id)
    is_gone = title is None or effective_facts(title, parent).is_withdrawn
    if title is None or is_gone or role_name not in ArtworkRole.__members__ or variant not in VARIANTS:
        return _error(404, f"no artwork {role_name.lower()[:20]}/{variant[:40]} of {title_id[:120]}")
    try:
        master = await services.masters.master(title, ArtworkRole(role_name), variant)
    except services.rendering_errors as error:
        log.warning("artwork.unavailable", title_id=title_id, role=role_name, error=str(error))
        return _error(503, str(error), {"retry-after": "2"})
    return Response(master.content, media_type=master.media_type, headers={"cache-control": MASTER_CACHE_CONTROL})


async def _import(request: Request, services: InternalServices) -> Response:
    format_name = request.query_params.get("format", "")
    if format_name not in FORMATS:
        return _error(400, f"format is {format_name[:40]!r}; known are {', '.join(FORMATS)}")
    if services.importing.locked():
        return _error(409, "another import is running; wait for its end")
    await services.importing.acquire()
    try:
        path = await _receive(request, services)
    except BaseException as error:
        services.importing.release()
        if isinstance(error, _TooLarge):
            return _error(413, f"the file has more than {services.max_import_bytes} bytes")
        if isinstance(error, ClientDisconnect):
            return Response(status_code=499)
        raise
    return StreamingResponse(_run_import(services, format_name, path), media_type="application/x-ndjson")


class _TooLarge(Exception):
    """The body passed the limit."""


async def _receive(request: Request, services: InternalServices) -> Path:
    """The body in a file of its own, which the caller removes."""
    path = await asyncio.to_thread(_new_upload, services.upload_dir)
    try:
        received = 0
        with path.open("wb") as file:
            async for piece in request.stream():
                received += len(piece)
                _check_size(received, services.max_import_bytes)
                await asyncio.to_thread(file.write, piece)
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    return path


def _check_size(received: int, max_bytes: int) -> None:
    if received > max_bytes:
        raise _TooLarge


def _new_upload(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=".upload")
    os.close(descriptor)
    return Path(name)


async def _run_import(services: InternalServices, format_name: str, path: Path) -> AsyncIterator[bytes]:
    """Progress lines, then one report or error line. A client that leaves ends the import after its batch."""
    # Progress counts from the start, so that a client that reads slowly misses nothing by hearing only the newest.
    lines: asyncio.Queue[ImportProgress] = asyncio.Queue(maxsize=1)

    def tell(progress: ImportProgress) -> None:
        if lines.full():
            lines.get_nowait()
        lines.put_nowait(progress)

    task = asyncio.create_task(import_catalogue(services.writer, format_name, path, tell))
    try:
        while not task.done() or not lines.empty():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    yield write_progress_line(await lines.get())
        outcome = await _outcome(task, services)
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)
        await asyncio.to_thread(path.unlink, missing_ok=True)
        services.importing.release()
    # Last, so that whoever reads the report may start the next import at once.
    yield outcome


async def _outcome(task: asyncio.Task[ImportReport], services: InternalServices) -> bytes:
    try:
        report = await task
    except ImportRefused as error:
        return write_report_line(str(error))
    except Exception:  # the answer's status was sent long ago: the last line says it
        log.exception("import.failed")
        return write_report_line("internal error; what was imported before it stays, see the titles service's log")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(INDEX_WAIT_S):
            await services.search_follower.settled()
    return write_report_line(report)


async def _republish(_request: Request, services: InternalServices) -> Response:
    announced = await services.store.announce_all()
    services.announce()
    return JSONResponse({"announced": announced})


async def _reindex(_request: Request, services: InternalServices) -> Response:
    try:
        return JSONResponse({"indexed": await services.search_updater.rebuild()})
    except ServiceError as error:
        return _error(KIND_TABLE[error.kind].http_status, error.message)


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)
