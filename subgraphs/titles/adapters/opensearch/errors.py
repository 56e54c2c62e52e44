"""What OpenSearch's client raises, as our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opensearchpy.exceptions import ConnectionError as NoConnection
from opensearchpy.exceptions import OpenSearchException, TransportError

from common.errors import ErrorKind, ServiceError

__all__ = ["opensearch_errors", "status_of"]

log = structlog.get_logger(__name__)

BUSY_STATUSES = frozenset({404, 429, 502, 503, 504})
"""404: the index is not there yet, or a rebuild has just replaced it."""


@contextmanager
def opensearch_errors() -> Iterator[None]:
    """What only time can mend becomes ServiceError(UNAVAILABLE); requests that the engine refuses pass as they are."""
    try:
        yield
    except OpenSearchException as error:
        if not isinstance(error, NoConnection) and status_of(error) not in BUSY_STATUSES:
            raise
        log.warning("search.unavailable", error=str(error), error_type=type(error).__name__)
        raise ServiceError(
            ErrorKind.UNAVAILABLE, "search can't be reached or is busy; try again, or browse meanwhile"
        ) from error


def status_of(error: OpenSearchException) -> int | None:
    """The answer's HTTP status; None when there was no answer."""
    status = error.status_code if isinstance(error, TransportError) else None
    return status if isinstance(status, int) else None
