"""GraphiQL for browsers, from files of this machine: no foreign host is asked for anything."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

__all__ = ["ASSETS_PATH", "graphiql_page", "graphiql_routes"]

ASSETS_PATH = "/graphiql-assets"

_FILES = {
    "react.js": ("react/umd/react.production.min.js", "text/javascript"),
    "react-dom.js": ("react-dom/umd/react-dom.production.min.js", "text/javascript"),
    "graphiql.js": ("graphiql/graphiql.min.js", "text/javascript"),
    "graphiql.css": ("graphiql/graphiql.min.css", "text/css"),
}

_SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphiQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="graphiql-assets/graphiql.css">
<style>html, body, #graphiql { height: 100%; margin: 0; }</style>
</head>
<body>
<div id="graphiql">Loading GraphiQL …</div>
<script src="graphiql-assets/react.js"></script>
<script src="graphiql-assets/react-dom.js"></script>
<script src="graphiql-assets/graphiql.js"></script>
<script src="graphiql-assets/start.js"></script>
</body>
</html>
"""

_START = """const fetcher = GraphiQL.createFetcher({ url: window.location.pathname });
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultEditorToolsVisibility: true,
    shouldPersistHeaders: false,
    defaultQuery: %s,
  }),
);
"""

_MISSING_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>GraphiQL is not installed</title></head>
<body><h1>GraphiQL is not installed</h1>
<p>This server answers GraphQL here by POST. Its browser page needs the npm packages <code>graphiql</code>,
<code>react</code> and <code>react-dom</code> in the folder that the setting
<code>MARQUEE_GATEWAY_GRAPHIQL_DIR</code> names; run <code>npm ci</code> beside it.</p></body></html>
"""


def graphiql_page(folder: Path) -> Response:
    """The page, or one that says what is missing (503)."""
    if not all((folder / file).is_file() for file, _ in _FILES.values()):
        return HTMLResponse(_MISSING_PAGE, status_code=503, headers=_SECURITY_HEADERS)
    return HTMLResponse(_PAGE, headers={**_SECURITY_HEADERS, "cache-control": "no-cache", "vary": "accept"})


def graphiql_routes(folder: Path, first_query: str) -> list[Route]:
    """The files that the page loads: four named ones of the npm folder and the script that starts it.

    `first_query` stands in the editor at somebody's first visit; empty: GraphiQL's own welcome text.
    """
    start = _START % (json.dumps(first_query) if first_query else "undefined")

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "start.js":
            return Response(start, media_type="text/javascript", headers={"x-content-type-options": "nosniff"})
        if name not in _FILES:
            return PlainTextResponse("no such file", status_code=404)
        file, media_type = _FILES[name]
        path = folder / file
        if not path.is_file():
            return PlainTextResponse("GraphiQL is not installed", status_code=503)
        headers = {"x-content-type-options": "nosniff", "cache-control": "public, max-age=3600"}
        return FileResponse(path, media_type=media_type, headers=headers)

    return [Route(f"{ASSETS_PATH}/{{name}}", asset, methods=["GET"])]
