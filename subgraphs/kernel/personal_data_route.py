"""POST /internal/personal-data/<action>: the route of every subgraph behind which its personal data is.

Body: `{"accountId": …, "profileIds": […]}`; it needs a service token. See subgraphs.kernel.personal_data.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog
from starlette.requests import Request
from starlette.responses import Response

from common.clock import Clock
from common.errors import KIND_TABLE, ErrorKind, ServiceError
from common.tokens import TokenInvalid, TokenVerifier
from subgraphs.kernel.graphql_http import json_answer
from subgraphs.kernel.personal_data import PersonalDataAction, PersonalDataStore, Subject, run_personal_data_action

__all__ = ["PERSONAL_DATA_PATH", "PersonalDataRoute"]

log = structlog.get_logger(__name__)

PERSONAL_DATA_PATH = "/internal/personal-data/{action}"
MAX_BODY_BYTES = 300_000
TIMEOUT_S = 60.0
"""Whole stores are read and, for `scrub`, rewritten."""


class PersonalDataRoute:
    """Its endpoint is `answer`. `stores` raises ServiceError(UNAVAILABLE) while the subgraph starts or stops."""

    def __init__(self, stores: Callable[[], Sequence[PersonalDataStore]], jwks_path: Path, clock: Clock) -> None:
        self._stores = stores
        self._jwks_path = jwks_path
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        try:
            caller, token = self._require_service(request)
            action = _read_action(request)
            subject = replace(Subject.from_json(await _read_body(request)), service_token=token)
            stores = self._stores()
            async with asyncio.timeout(TIMEOUT_S):
                answer = await run_personal_data_action(stores, action, subject)
        except ServiceError as error:
            return _refusal(error.kind, error.message)
        except TimeoutError:
            return _refusal(ErrorKind.DEADLINE_EXCEEDED, f"not done in {TIMEOUT_S:g} s; try again")
        log.info("personal_data.done", action=action.value, caller=caller, counts=answer.get("counts"))
        return json_answer(answer)

    def _require_service(self, request: Request) -> tuple[str, str]:
        """Who calls, and the token that says so."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        try:
            verifier = TokenVerifier.for_service(self._jwks_path, self._clock)
            claims = verifier.verify(token if scheme.lower() == "bearer" else "")
        except (TokenInvalid, OSError, ValueError) as error:
            log.warning("internal.refused", path=request.url.path, error=str(error))
            raise ServiceError(
                ErrorKind.UNAUTHENTICATED, "this route needs a service token: Authorization: Bearer <token>"
            ) from error
        return str(claims.get("sub", "")), token


def _read_action(request: Request) -> PersonalDataAction:
    name = str(request.path_params["action"])
    try:
        return PersonalDataAction(name)
    except ValueError as error:
        known = ", ".join(PersonalDataAction)
        raise ServiceError(ErrorKind.NOT_FOUND, f"no action is called {name[:40]!r}; known are {known}") from error


async def _read_body(request: Request) -> object:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise ServiceError(ErrorKind.INVALID_ARGUMENT, f"the body has more than {MAX_BODY_BYTES} bytes")
    try:
        return json.loads(body)
    except ValueError as error:
        raise ServiceError(ErrorKind.INVALID_ARGUMENT, "the body is no JSON") from error


def _refusal(kind: ErrorKind, message: str) -> Response:
    return json_answer({"error": message, "kind": kind.value}, KIND_TABLE[kind].http_status)
