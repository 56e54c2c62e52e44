"""Trouble with Valkey as our own error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError

__all__ = ["valkey_errors"]


@contextmanager
def valkey_errors(what: str) -> Iterator[None]:
    """Turns a lost connection or a refused command into ServiceError UNAVAILABLE; `what` is "the job store", say."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise ServiceError(ErrorKind.UNAVAILABLE, f"{what} is away; try again") from error
