"""The table of error kinds is whole, and its gRPC codes are the standard's."""

from datetime import UTC, datetime, timedelta, timezone

import grpc
import pytest

from common.clock import FakeClock, SystemClock
from common.errors import KIND_TABLE, ErrorKind, ServiceError


def test_every_kind_has_a_row_with_grpcs_own_code() -> None:
    """The kinds are named as gRPC names its statuses, so the codes can be compared."""
    assert set(KIND_TABLE) == set(ErrorKind)
    for kind, row in KIND_TABLE.items():
        assert grpc.StatusCode[kind.value].value[0] == row.grpc_code
        assert 400 <= row.http_status <= 599


def test_a_service_error_says_its_message() -> None:
    """str() is what logs show."""
    error = ServiceError(ErrorKind.NOT_FOUND, "there is no such thing")
    assert (str(error), error.kind) == ("there is no such thing", ErrorKind.NOT_FOUND)


def test_clocks_tell_aware_utc() -> None:
    """Whatever zone a fake clock was set in."""
    eastern = timezone(timedelta(hours=-5))
    clock = FakeClock(datetime(2026, 1, 1, 7, 0, tzinfo=eastern))
    clock.advance(timedelta(minutes=1))
    assert clock.now() == datetime(2026, 1, 1, 12, 1, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    assert SystemClock().now().tzinfo is UTC
    with pytest.raises(ValueError, match="time zone"):
        FakeClock(datetime(2026, 1, 1))  # noqa: DTZ001
