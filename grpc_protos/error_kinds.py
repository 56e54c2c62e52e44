"""ErrorKind ⇄ gRPC status: one table for servers, which abort with a status, and for clients, which read one.

The numbers come from `common.errors.KIND_TABLE`, so that GraphQL, HTTP and gRPC cannot drift apart.
"""

from __future__ import annotations

from typing import cast

import grpc

from common.errors import KIND_TABLE, ErrorKind, ServiceError

__all__ = ["STATUS_BY_KIND", "kind_of_status", "service_error_of"]


def _status_by_number() -> dict[int, grpc.StatusCode]:
    """grpc.StatusCode members hold (number, text)."""
    return {cast("tuple[int, str]", status.value)[0]: status for status in grpc.StatusCode}


STATUS_BY_KIND: dict[ErrorKind, grpc.StatusCode] = {
    kind: _status_by_number()[row.grpc_code] for kind, row in KIND_TABLE.items()
}

_KIND_BY_STATUS: dict[grpc.StatusCode, ErrorKind] = {
    **{status: kind for kind, status in STATUS_BY_KIND.items()},
    # The statuses that have no kind of their own, as the nearest thing a caller can act on.
    grpc.StatusCode.OUT_OF_RANGE: ErrorKind.INVALID_ARGUMENT,
    grpc.StatusCode.CANCELLED: ErrorKind.ABORTED,
    grpc.StatusCode.UNKNOWN: ErrorKind.INTERNAL,
    grpc.StatusCode.DATA_LOSS: ErrorKind.INTERNAL,
}


def kind_of_status(status: grpc.StatusCode) -> ErrorKind:
    """The kind of a failed call's status. Raises ValueError for OK, which is no failure."""
    if status is grpc.StatusCode.OK:
        raise ValueError("OK is not a failure, so it has no error kind")
    return _KIND_BY_STATUS[status]


def service_error_of(error: grpc.aio.AioRpcError) -> ServiceError:
    """A failed call as our own error, for adapters of gRPC clients; raise it `from` the original."""
    return ServiceError(kind_of_status(error.code()), error.details() or error.code().name)
