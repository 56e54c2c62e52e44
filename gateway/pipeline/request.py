"""What goes into the pipeline, and the three things that can come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from gateway.errors import ResponseError

__all__ = ["Executed", "GatewayRequest", "Outcome", "RefusedRequest", "RequestError", "StageTimes"]


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """One well-formed GraphQL request.

    `query` may be None when `extensions.persistedQuery` or `document_id` names a known operation. `headers` are those
    that subgraphs get, the signed viewer context included. `allow_mutation` is False for HTTP GET. `deadline` is an
    event loop time.
    """

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    allow_mutation: bool = True
    deadline: float = float("inf")


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Seconds spent before execution (looking up or making the compiled operation) and in execution."""

    prepare_s: float
    execute_s: float


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """Not a request that this server takes, whatever it asks; `status` says why. Never 2xx."""

    status: int
    error: ResponseError
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestError:
    """A well-formed request that was not executed: no `data` in the answer.

    `status`, when set, is the HTTP status whatever media type was negotiated.
    """

    errors: tuple[ResponseError, ...]
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Executed:
    """Execution began: `data` is in the answer, null when an error reached the root.

    A `Fragment` is JSON that is written already, since several requests share it.
    """

    data: dict[str, Any] | orjson.Fragment | None
    errors: tuple[ResponseError, ...]
    requests_sent: int
    times: StageTimes


Outcome: TypeAlias = RefusedRequest | RequestError | Executed
