"""Steering manifests over HTTP, for players.

    /steering/<token>/hls.json?_HLS_pathway=…&_HLS_throughput=…
    /steering/<token>/dash.json?_DASH_pathway="a,b"&_DASH_throughput=1,2

Players punish errors: one gives steering up for good after 429, one after 404. So a session gets an answer with a TTL
whatever happens here, from its own token when the steering service is away; a token that was never ours gets 410, which
means "stop" to all of them.
"""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import Response

from common.errors import ErrorKind, ServiceError
from media_pipeline.delivery.ports import PathwayDirectory
from media_pipeline.kernel.media_token import MediaTokenInvalid, MediaTokenKeys
from media_pipeline.kernel.problems import problem
from media_pipeline.media.steering_manifest import write_steering_manifest

__all__ = ["SteeringEndpoint"]

log = structlog.get_logger(__name__)

FALLBACK_TTL_S = 30
"""Longer than usual: when the service is away, players should not all ask again at once."""
MAX_PATHWAYS = 16


class SteeringEndpoint:
    """HTTP in, the steering service's answer out."""

    def __init__(self, pathways: PathwayDirectory, token_keys: MediaTokenKeys, public_url: str) -> None:
        self._pathways = pathways
        self._token_keys = token_keys
        self._public_url = public_url

    async def serve(self, request: Request) -> Response:
        """Answer one reload."""
        token, protocol = request.path_params["token"], request.path_params["protocol"]
        if protocol not in {"hls", "dash"}:
            return problem(410, f"there are steering manifests for hls and dash, not for {protocol[:16]!r}")
        try:
            grant = self._token_keys.read_unexpiring(token)
        except MediaTokenInvalid as error:
            return problem(410, str(error))
        current = _listed(request, f"_{protocol.upper()}_pathway")
        throughputs_bps = [int(text) for text in _listed(request, f"_{protocol.upper()}_throughput") if text.isdigit()]
        try:
            manifest = await self._pathways.steering_manifest(token, protocol, current, throughputs_bps)
        except ServiceError as error:
            if error.kind is ErrorKind.UNAUTHENTICATED or not grant.pathways:
                return problem(410, "this session is steered no longer")
            log.warning("steering.fallback", reason=error.message)
            reload_url = f"{self._public_url}/steering/{token}/{protocol}.json"
            manifest = write_steering_manifest(grant.pathways, FALLBACK_TTL_S, reload_url)
        return Response(manifest, media_type="application/json", headers={"Cache-Control": "no-store"})


def _listed(request: Request, name: str) -> list[str]:
    """A query parameter of the form "a,b", with or without quotation marks."""
    text = request.query_params.get(name, "").strip('"')[:1024]
    return [item.strip() for item in text.split(",")[:MAX_PATHWAYS] if item.strip()]
