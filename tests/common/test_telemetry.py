"""Logs are JSON lines that carry the request id, and never a local variable."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from common.telemetry import bind_request, configure_logs, new_request_id, request_id_from


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def fail_with_a_secret() -> None:
    password = "hunter2-hunter2"
    raise ValueError(f"something of {len(password)} characters went wrong")


def test_one_json_object_per_line_with_process_and_request(stream: io.StringIO) -> None:
    """structlog's and the standard library's records look the same."""
    configure_logs("profiles", stream=stream)
    bind_request("abcdefgh")
    structlog.get_logger("ours").info("door.opened", door=3)
    logging.getLogger("theirs").warning("plain %s", "text")
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (ours["event"], ours["door"], ours["process"], ours["request_id"]) == (
        "door.opened",
        3,
        "profiles",
        "abcdefgh",
    )
    assert (theirs["event"], theirs["level"], theirs["request_id"]) == ("plain text", "warning", "abcdefgh")


class Unprintable:
    """Nothing that JSON knows."""

    def __repr__(self) -> str:
        return "Unprintable()"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("caf\u00e9 \u2028", "caf\u00e9 \u2028"),
        ("lone \ud800 surrogate", "lone \ud800 surrogate"),
        (2**70, 2**70),
        ({1: {"deep": (None, True)}}, {"1": {"deep": [None, True]}}),
        (Unprintable(), "Unprintable()"),
        (b"bytes", "b'bytes'"),
    ],
)
def test_every_value_becomes_one_line_of_json(stream: io.StringIO, value: object, written: object) -> None:
    """Whatever a client sent and whatever a library raised."""
    configure_logs("profiles", stream=stream)
    structlog.get_logger("ours").info("told", value=value)
    assert json.loads(stream.getvalue())["value"] == written
    assert len(stream.getvalue().splitlines()) == 1


def test_a_target_that_is_closed_ends_no_request(stream: io.StringIO) -> None:
    """Whoever logs goes on; there is nowhere to tell it."""
    configure_logs("profiles", stream=stream)
    stream.close()
    structlog.get_logger("ours").error("told to nobody")


@pytest.mark.parametrize("colours", [False, True])
def test_a_traceback_shows_no_local_variable(stream: io.StringIO, colours: bool) -> None:
    """A password in a local variable of a failing function stays out of the log, also on a terminal."""
    configure_logs("profiles", stream=stream, colours=colours)
    try:
        fail_with_a_secret()
    except ValueError as error:
        structlog.get_logger().error("it.failed", exc_info=error)
    assert "fail_with_a_secret" in stream.getvalue()
    # The source line of the frame that raised may be shown; the line that holds the value is not.
    assert "hunter2" not in stream.getvalue()


@given(st.text(max_size=100))
def test_a_request_id_from_outside_is_plain_or_replaced(header: str) -> None:
    """Line breaks and the like never get into a log by way of a header."""
    request_id = request_id_from(header)
    assert 8 <= len(request_id) <= 64
    assert request_id.isascii()
    assert request_id.isprintable()
    assert " " not in request_id


def test_a_good_request_id_is_kept() -> None:
    """So that one id follows a request through all processes."""
    made = new_request_id()
    assert request_id_from(made) == made
    assert request_id_from(None) != request_id_from(None)
