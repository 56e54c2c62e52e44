"""One list of error kinds for GraphQL, gRPC and HTTP: what happened, in words that a caller can act on.

The names line up with gRPC's status names; the table says what each is in the other two and whether trying
again can help. Services raise `ServiceError(kind, message)`; the edge of each protocol translates.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["KIND_TABLE", "ErrorKind", "KindRow", "ServiceError"]


class ErrorKind(StrEnum):
    """What went wrong, seen from the caller."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    """The request itself is wrong; the same request will fail again."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """Nobody, or somebody whose token can't be verified."""
    PERMISSION_DENIED = "PERMISSION_DENIED"
    """Somebody who may not do this, and may know that it exists."""
    NOT_FOUND = "NOT_FOUND"
    """It does not exist, or the caller may not know that it does."""
    ALREADY_EXISTS = "ALREADY_EXISTS"
    """The thing to create is there already."""
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    """Right request, wrong state of the world: the caller must change something first."""
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    """A limit of this caller is reached; later it may work."""
    ABORTED = "ABORTED"
    """Lost against a concurrent change; read again and retry."""
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    """Time ran out; it may or may not have happened."""
    UNAVAILABLE = "UNAVAILABLE"
    """The service or something that it needs is away for now."""
    UNIMPLEMENTED = "UNIMPLEMENTED"
    """Known and not offered here."""
    INTERNAL = "INTERNAL"
    """A broken invariant on our side."""


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind in the other protocols: `grpc_code` is the numeric status, `retryable`: the same request may succeed."""

    http_status: int
    grpc_code: int
    retryable: bool


KIND_TABLE: dict[ErrorKind, KindRow] = {
    ErrorKind.INVALID_ARGUMENT: KindRow(400, 3, retryable=False),
    ErrorKind.UNAUTHENTICATED: KindRow(401, 16, retryable=False),
    ErrorKind.PERMISSION_DENIED: KindRow(403, 7, retryable=False),
    ErrorKind.NOT_FOUND: KindRow(404, 5, retryable=False),
    ErrorKind.ALREADY_EXISTS: KindRow(409, 6, retryable=False),
    ErrorKind.FAILED_PRECONDITION: KindRow(412, 9, retryable=False),
    ErrorKind.RESOURCE_EXHAUSTED: KindRow(429, 8, retryable=True),
    ErrorKind.ABORTED: KindRow(409, 10, retryable=True),
    ErrorKind.DEADLINE_EXCEEDED: KindRow(504, 4, retryable=True),
    ErrorKind.UNAVAILABLE: KindRow(503, 14, retryable=True),
    ErrorKind.UNIMPLEMENTED: KindRow(501, 12, retryable=False),
    ErrorKind.INTERNAL: KindRow(500, 13, retryable=False),
}


class ServiceError(Exception):
    """A failure with a kind. `message` is fit for the caller: it names the thing, the value seen and the next step."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
