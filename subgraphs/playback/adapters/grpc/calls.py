"""What both clients need: metadata, and failures as our own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import structlog

from common.errors import ErrorKind, ServiceError
from common.tokens import VIEWER_HEADER
from grpc_protos.error_kinds import service_error_of

__all__ = ["CHANNEL_OPTIONS", "translated_errors", "viewer_metadata"]

log = structlog.get_logger(__name__)

CHANNEL_OPTIONS = (
    # A service that was away is tried again soon, not after gRPC's usual two minutes.
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
)

_OUT_OF_REACH = {ErrorKind.UNAVAILABLE, ErrorKind.DEADLINE_EXCEEDED, ErrorKind.ABORTED, ErrorKind.RESOURCE_EXHAUSTED}


def viewer_metadata(viewer_token: str) -> tuple[tuple[str, str], ...]:
    """The signed viewer context as gRPC metadata."""
    return ((VIEWER_HEADER, viewer_token),)


@contextmanager
def translated_errors(service: str) -> Iterator[None]:
    """Failed calls inside raise ServiceError: UNAVAILABLE naming the service when it can't be reached in time.

    Kinds that speak of the viewer or of the asset are passed on; anything else is our own mistake, and INTERNAL.
    """
    try:
        yield
    except grpc.aio.AioRpcError as error:
        failure = service_error_of(error)
        log.warning("grpc.failed", service=service, kind=failure.kind.value, error=failure.message)
        if failure.kind in _OUT_OF_REACH:
            raise ServiceError(
                ErrorKind.UNAVAILABLE,
                f"the {service} service does not answer at the moment; try again in a few seconds",
            ) from error
        if failure.kind in {ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND, ErrorKind.FAILED_PRECONDITION}:
            raise failure from error
        raise ServiceError(ErrorKind.INTERNAL, f"the {service} service refused the call") from error
