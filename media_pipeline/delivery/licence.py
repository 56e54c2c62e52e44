"""The Clear Key licence endpoint: EME messages in, licences out, DASH-IF's problem types for refusals.

POST /licence/clearkey     Authorization: Bearer <playback token>
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from common.errors import KIND_TABLE, ErrorKind, ServiceError
from media_pipeline.delivery.ports import LicenceIssuer
from media_pipeline.delivery.request_body import BodyTooLarge, read_body
from media_pipeline.kernel.problems import problem

__all__ = ["LicenceEndpoint"]

MAX_MESSAGE_BYTES = 16_384
NOT_AUTHORIZED = "https://dashif.org/drm-problems/not-authorized"
INSUFFICIENT_PROOF = "https://dashif.org/drm-problems/insufficient-proof-of-authorization"


class LicenceEndpoint:
    """HTTP in, the licensing service's answer out."""

    def __init__(self, licences: LicenceIssuer) -> None:
        self._licences = licences

    async def serve(self, request: Request) -> Response:
        """Answer one licence request. Nothing of it may be cached: it holds keys."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return problem(
                403, "the licence needs Authorization: Bearer <playback token>", problem_type=INSUFFICIENT_PROOF
            )
        try:
            message = await read_body(request, MAX_MESSAGE_BYTES)
            licence = await self._licences.issue(token.strip(), message)
        except BodyTooLarge as error:
            return problem(413, str(error))
        except ServiceError as error:
            return _refusal(error)
        return Response(licence, media_type="application/json", headers={"Cache-Control": "no-store"})


def _refusal(error: ServiceError) -> Response:
    match error.kind:
        case ErrorKind.UNAUTHENTICATED:
            return problem(403, error.message, problem_type=INSUFFICIENT_PROOF)
        case ErrorKind.PERMISSION_DENIED:
            return problem(403, error.message, problem_type=NOT_AUTHORIZED)
        case ErrorKind.INVALID_ARGUMENT:
            return problem(400, error.message)
        case kind:
            return problem(
                KIND_TABLE[kind].http_status, "no licence can be had now; try again", headers={"Retry-After": "1"}
            )
