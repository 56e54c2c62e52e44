"""A server that does not answer, as our own error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError

__all__ = ["translated_errors"]


@contextmanager
def translated_errors(what: str) -> Iterator[None]:
    """Failures of Valkey inside raise ServiceError UNAVAILABLE naming `what`, a plural noun."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise ServiceError(ErrorKind.UNAVAILABLE, f"{what} can't be reached at the moment; try again") from error
