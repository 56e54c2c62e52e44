"""The origin that browsers see: the gateway at /graphql, the TV and phone pages, their packages and operations.

And the page behind the links in mails, which is the profiles service's.

Pages, packages and operation texts are files of this repository and of clients/node_modules; only what
clients/served_files.json names of the latter is served.
"""

from __future__ import annotations

import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.server.app import create_app
from gateway.settings import GatewaySettings
from stack import REPOSITORY
from stack.forwarding import Forwarding

__all__ = ["create_front"]

PAGES = ("tv", "phone", "shared")
DEFAULT_PROFILES_URL = "http://127.0.0.1:4001/graphql"

_TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".woff2": "font/woff2", ".css": "text/css"}
_SECURITY_HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "same-origin"}


def create_front(settings: GatewaySettings) -> Starlette:
    """The gateway's app with the pages mounted in front of it."""
    gateway = create_app(settings)
    profiles = settings.subgraph_urls.get("profiles", DEFAULT_PROFILES_URL).removesuffix("/graphql")
    routes: list[BaseRoute] = [
        # First, since nearly every request is one: each route that is looked at before costs microseconds.
        Route("/graphql", gateway),
        Route("/", _index),
        *(Mount(f"/{page}", StaticFiles(directory=REPOSITORY / "clients" / page, html=True)) for page in PAGES),
        Mount("/operations", StaticFiles(directory=REPOSITORY / "schema" / "operations")),
        Route("/packages/{name:path}", _Packages(REPOSITORY / "clients").serve),
        Route("/unsubscribe/{token}", Forwarding(profiles).answer, methods=["GET", "POST"]),
        Mount("/", gateway),
    ]
    return Starlette(routes=routes, lifespan=gateway.router.lifespan_context)


async def _index(_request: Request) -> Response:
    return RedirectResponse("/tv/")


class _Packages:
    """Serves the named files of clients/node_modules, and nothing else of it."""

    def __init__(self, clients: Path) -> None:
        named = json.loads((clients / "served_files.json").read_text())
        root = clients / named["root"]
        self._files: dict[str, Path] = {name: root / file for name, file in named["files"].items()}

    async def serve(self, request: Request) -> Response:
        """One package file by its URL name."""
        path = self._files.get(request.path_params["name"])
        if path is None:
            raise HTTPException(404, "no such package file; clients/served_files.json lists them")
        if not path.is_file():
            raise HTTPException(503, f"{path.name} is not installed; run `make up` or scripts/install packages")
        return FileResponse(
            path,
            media_type=_TYPES.get(path.suffix, "application/octet-stream"),
            headers={**_SECURITY_HEADERS, "cache-control": "public, max-age=3600"},
        )
