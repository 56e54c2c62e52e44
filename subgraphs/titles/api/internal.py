"""Routes for the product's own processes, beside GraphQL and never behind the gateway.

GET  /artwork-masters/{title_id}/{role}/{variant}   a master for delivery, drawn when it is not there
     /internal/imports…                             catalogue files, see imports.py
POST /internal/republish                            tell every title to the other services again
POST /internal/reindex                              rebuild the search index; searches go on meanwhile
GET  /internal/reindex                              how far the rebuild is that runs in this process

All but the masters take a service token. Masters need none: delivery shows the same pictures to everybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from common.errors import KIND_TABLE, ServiceError
from common.tokens import TokenInvalid, TokenVerifier
from subgraphs.kernel.ids import TitleId
from subgraphs.titles.api.imports import ImportHandler, import_routes
from subgraphs.titles.artwork_sizes import VARIANTS
from subgraphs.titles.domain.artwork_reference import ArtworkRole
from subgraphs.titles.domain.rights import effective_facts
from subgraphs.titles.imports.jobs import ImportJobs
from subgraphs.titles.ports import TitleStore
from subgraphs.titles.services.catalogue import Catalogue
from subgraphs.titles.services.following import ChangeFollower
from subgraphs.titles.services.indexing import SearchUpdater
from subgraphs.titles.services.masters import MasterService

__all__ = ["InternalServices", "internal_routes"]

log = structlog.get_logger(__name__)

MASTER_CACHE_CONTROL = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class InternalServices:
    """What the routes use."""

    catalogue: Catalogue
    masters: MasterService
    store: TitleStore
    search_follower: ChangeFollower
    search_updater: SearchUpdater
    announce: Callable[[], None]
    jwks_path: Path
    rendering_errors: tuple[type[Exception], ...]
    imports: ImportJobs


def internal_routes() -> list[Route]:
    """The routes; they find their services in the application's state."""
    return [
        Route("/artwork-masters/{title_id}/{role}/{variant}", _master, methods=["GET"]),
        *import_routes(_guarded_imports),
        Route("/internal/republish", _guarded(_republish), methods=["POST"]),
        Route("/internal/reindex", _guarded(_reindex), methods=["POST"]),
        Route("/internal/reindex", _guarded(_reindexing), methods=["GET"]),
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


def _guarded_imports(handler: ImportHandler) -> Callable[[Request], Awaitable[Response]]:
    async def with_jobs(request: Request, services: InternalServices) -> Response:
        return await handler(request, services.imports)

    return _guarded(with_jobs)


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


async def _republish(_request: Request, services: InternalServices) -> Response:
    announced = await services.store.announce_all()
    services.announce()
    return JSONResponse({"announced": announced})


async def _reindex(_request: Request, services: InternalServices) -> Response:
    try:
        return JSONResponse({"indexed": await services.search_updater.rebuild()})
    except ServiceError as error:
        return _error(KIND_TABLE[error.kind].http_status, error.message)


async def _reindexing(_request: Request, services: InternalServices) -> Response:
    progress = await services.search_updater.progress()
    running = None if progress is None else {"copied": progress[0], "total": progress[1]}
    return JSONResponse({"running": running})


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)
