"""Routes of imports, for bearers of a service token.

POST   /internal/imports?format=…&name=…   a catalogue file as the body; 202 with the import, which has begun
       also show=… (of TVmaze's episodes) and allow_removals=true
GET    /internal/imports                   the last imports, newest first
GET    /internal/imports/{id}              how far one is
GET    /internal/imports/{id}/rejects      every row that was rejected or repaired, as JSON lines
POST   /internal/imports/{id}/resume       go on with one that was broken off; `last` for the last such
DELETE /internal/imports/{id}              cancel it
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from subgraphs.titles.imports.formats import CatalogueFormat
from subgraphs.titles.imports.job import ImportJob
from subgraphs.titles.imports.jobs import ImportBusy, ImportJobs, TooLarge, UnknownImport, UploadStalled

__all__ = ["ImportHandler", "import_routes"]

MAX_FILE_NAME_LENGTH = 200
REJECTS_SHOWN = 100

ImportHandler = Callable[[Request, ImportJobs], Awaitable[Response]]


def import_routes(guarded: Callable[[ImportHandler], Callable[[Request], Awaitable[Response]]]) -> list[Route]:
    """The routes; `guarded` lets only service tokens through and finds the jobs."""

    def route(path: str, handler: ImportHandler, method: str) -> Route:
        return Route(path, guarded(_answering(handler)), methods=[method])

    one = "/internal/imports/{import_id}"
    return [
        route("/internal/imports", _start, "POST"),
        route("/internal/imports", _list, "GET"),
        route(one, _show, "GET"),
        route(one, _cancel, "DELETE"),
        route(f"{one}/rejects", _rejects, "GET"),
        route(f"{one}/resume", _resume, "POST"),
    ]


def _answering(handler: ImportHandler) -> ImportHandler:
    """The handler, with what can go wrong as an answer."""

    async def answering(request: Request, jobs: ImportJobs) -> Response:
        try:
            return await handler(request, jobs)
        except UnknownImport as error:
            return _error(404, str(error))
        except ImportBusy as error:
            return _error(409, str(error))
        except UploadStalled as error:
            return _error(408, str(error))
        except TooLarge as error:
            return _error(413, str(error))
        except ConnectionError as error:
            return _error(503, str(error))
        except ClientDisconnect:
            return Response(status_code=499)

    return answering


async def _start(request: Request, jobs: ImportJobs) -> Response:
    values = request.query_params
    name = values.get("format", "")
    if name not in list(CatalogueFormat):
        return _error(400, f"format is {name[:40]!r}; known are {', '.join(CatalogueFormat)}")
    allowed = values.get("allow_removals", "false")
    if allowed not in {"true", "false"}:
        return _error(400, f"allow_removals is {allowed[:40]!r}; wanted true or false")
    job = await jobs.start(
        CatalogueFormat(name),
        request.stream(),
        file_name=values.get("name", "file")[:MAX_FILE_NAME_LENGTH],
        show=values.get("show"),
        is_removal_allowed=allowed == "true",
    )
    return JSONResponse(await _described(job, jobs), 202)


async def _list(_request: Request, jobs: ImportJobs) -> Response:
    return JSONResponse({"imports": [job.to_json() for job in await jobs.jobs()]})


async def _show(request: Request, jobs: ImportJobs) -> Response:
    return JSONResponse(await _described(await jobs.job(_import_id(request)), jobs))


async def _cancel(request: Request, jobs: ImportJobs) -> Response:
    return JSONResponse(await _described(await jobs.cancel(_import_id(request)), jobs))


async def _resume(request: Request, jobs: ImportJobs) -> Response:
    import_id = _import_id(request)
    return JSONResponse(await _described(await jobs.resume(None if import_id == "last" else import_id), jobs), 202)


async def _rejects(request: Request, jobs: ImportJobs) -> Response:
    job = await jobs.job(_import_id(request))
    path = jobs.rejects_path(job.id)
    if not await asyncio.to_thread(path.exists):
        return Response(b"", media_type="application/x-ndjson")
    return FileResponse(path, media_type="application/x-ndjson")


def _import_id(request: Request) -> str:
    return str(request.path_params["import_id"])


async def _described(job: ImportJob, jobs: ImportJobs) -> dict[str, Any]:
    """The import, with the first rows that it rejected or repaired."""
    return job.to_json() | {"first_rejects": await asyncio.to_thread(_first_rejects, jobs.rejects_path(job.id))}


def _first_rejects(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            lines = (file.readline() for _ in range(REJECTS_SHOWN))
            # A line without its end is being written.
            return [orjson.loads(line) for line in lines if line.endswith(b"\n")]
    except FileNotFoundError:
        return []


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)
