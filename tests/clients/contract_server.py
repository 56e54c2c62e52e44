"""Serves the pages, their packages, the operations and a ContractBackend on one address, as the product does."""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.clients.contract_backend import ContractBackend

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "clients"


def create_app(backend: ContractBackend, media: Path | None = None) -> Starlette:
    served = json.loads((CLIENTS / "served_files.json").read_text())

    async def graphql(request: Request) -> Response:
        status, answer = backend.answer(request.headers.get("authorization"), await request.json())
        return JSONResponse(answer, status_code=status)

    async def package(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in served["files"]:
            return Response(status_code=404)
        return FileResponse(CLIENTS / served["root"] / served["files"][name])

    async def artwork(request: Request) -> Response:
        return Response(drawing(request.path_params["title"], request.path_params["rest"]), media_type="image/svg+xml")

    async def licence(request: Request) -> Response:
        wanted = await request.json()
        backend.calls.append(("licence", {"authorization": request.headers.get("authorization"), **wanted}))
        if request.headers.get("authorization") != "Bearer playback-token":
            return JSONResponse({"title": "no entitlement"}, status_code=403)
        assert backend.media is not None
        return JSONResponse({"keys": backend.media["keys"], "type": "temporary"})

    routes = [
        Route("/graphql", graphql, methods=["POST"]),
        Route("/packages/{name:path}", package),
        Route("/artwork/{title}/{rest:path}", artwork),
        Route("/licence/clearkey", licence, methods=["POST"]),
        Mount("/operations", StaticFiles(directory=ROOT / "schema" / "operations")),
        Mount("/shared", StaticFiles(directory=CLIENTS / "shared")),
        Mount("/tv", StaticFiles(directory=CLIENTS / "tv", html=True)),
        Mount("/phone", StaticFiles(directory=CLIENTS / "phone", html=True)),
    ]
    if media is not None:
        routes.append(Mount("/media", StaticFiles(directory=media)))
    return Starlette(routes=routes)


def drawing(title_id: str, rest: str) -> str:
    """A quiet picture that differs by title, at the size that its address names."""
    width, height = (int(part) for part in Path(rest).stem.split("x"))
    digest = hashlib.sha256(title_id.encode()).digest()
    hue, second = digest[0] * 360 // 256, (digest[0] * 360 // 256 + 30 + digest[1] % 60) % 360
    x, y, radius = digest[2] / 255, 0.2 + digest[3] / 510, 0.16 + digest[4] / 1000
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="hsl({hue} 45% 42%)"/>
<stop offset="1" stop-color="hsl({second} 55% 14%)"/></linearGradient></defs>
<rect width="100%" height="100%" fill="url(#g)"/>
<circle cx="{(0.45 + x / 2) * width}" cy="{y * height}" r="{radius * width}" fill="hsl({second} 70% 72% / .5)"/>
<path d="M0 {height * 0.8} L{width * x} {height * 0.52} L{width} {height * 0.86} V{height} H0Z" fill="hsl({hue} 40% 10% / .7)"/>
</svg>"""


@contextlib.contextmanager
def running(backend: ContractBackend, port: int = 0, media: Path | None = None) -> Iterator[str]:
    """The address of a server that runs in a thread until the context ends; port 0 takes a free one."""
    config = uvicorn.Config(create_app(backend, media), host="127.0.0.1", port=port, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError(f"the contract server did not start on port {port}")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
