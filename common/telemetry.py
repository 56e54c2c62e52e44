"""Logs: one JSON object per line on standard error, with the request id and the process's name in every line.

No line says who somebody is: e-mail addresses are masked, and the ids of accounts, profiles, sessions and the like are
replaced by names that are the same in all lines of a day, in all processes that were started together, and that nobody
can turn back: their key is never written down, and changes every day and with every start.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import re
import secrets
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson
import structlog

__all__ = [
    "REQUEST_ID_HEADER",
    "bind_request",
    "configure_logs",
    "name_of_the_day",
    "new_request_id",
    "request_id_from",
    "without_identities",
]

REQUEST_ID_HEADER = "x-request-id"
_ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

_PERSONAL_ID = re.compile(r"\b(acc|cus|dev|dwn|ent|note|pay|pbs|prof|prq|ses)_([0-9a-z]{26})\b")
_LOOKS_PERSONAL = re.compile(r"_[0-9a-z]{26}\b")
"""In every personal id, and found five times as quickly, since it begins with one certain character."""
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Made where the program starts, before it forks: one start, one key.
_PSEUDONYM_KEY = secrets.token_bytes(32)


def configure_logs(process: str, level: str = "INFO", stream: TextIO | None = None, *, colours: bool = False) -> None:
    """Route structlog and the standard library's logging into one format. Call once, where the process starts."""
    target = stream or sys.stderr
    renderer: structlog.types.Processor = (
        # Plain tracebacks: the pretty ones print local variables, and those can be passwords and tokens.
        structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
        if colours
        else structlog.processors.JSONRenderer(_json_text)
    )
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]

    def render(logger: Any, name: str, event: structlog.types.EventDict) -> str:
        return without_identities(str(renderer(logger, name, event)))

    rendering: list[structlog.types.Processor] = [render] if colours else [structlog.processors.format_exc_info, render]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    # Our own lines go past the standard library's records, which cost as much again as everything else of a line.
    lines = _LineLogger(handler)
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_names: lines,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.contextvars.bind_contextvars(process=process)


class _LineLogger:
    """Writes finished lines where a handler writes, in turns with it. A closed or full target ends no request."""

    def __init__(self, handler: logging.StreamHandler[TextIO]) -> None:
        self._handler = handler

    def info(self, line: str) -> None:
        """Write one line, whatever its level: whether it is wanted was decided before."""
        # The handler's lock, since that is made anew in a forked child.
        self._handler.acquire()
        try:
            with contextlib.suppress(OSError, ValueError):
                self._handler.stream.write(line + "\n")
                self._handler.stream.flush()
        finally:
            self._handler.release()

    debug = warning = error = critical = info


def _json_text(event: structlog.types.EventDict, **options: Any) -> str:
    """The event as JSON in ASCII: no line can look like two, or like what it is not.

    orjson writes all but the few that need escapes, and those that it refuses (very large numbers), in a tenth of the
    time.
    """
    with contextlib.suppress(TypeError):
        line = orjson.dumps(event, default=options["default"])
        if line.isascii():
            return line.decode()
    return json.dumps(event, **options)


def new_request_id() -> str:
    """A fresh random request id."""
    return secrets.token_hex(8)


def request_id_from(header: str | None) -> str:
    """The caller's id when it is short and plain, a new one otherwise: what comes from outside goes into logs."""
    if header is not None and _ACCEPTED_REQUEST_ID.fullmatch(header):
        return header
    return new_request_id()


def bind_request(request_id: str) -> None:
    """Put the id into every log line of the current task."""
    structlog.contextvars.bind_contextvars(request_id=request_id)


def without_identities(line: str, now: datetime | None = None) -> str:
    """A line of text in which e-mail addresses are masked and personal ids have their names of the day."""
    if _LOOKS_PERSONAL.search(line):
        today = (now or datetime.now(UTC)).date().isoformat()
        line = _PERSONAL_ID.sub(lambda found: f"{found[1]}~{_pseudonym(found[0], today)}", line)
    return _EMAIL.sub("<e-mail>", line) if "@" in line else line


def name_of_the_day(kind: str, text: str, now: datetime | None = None) -> str:
    """How a line tells of something personal that no pattern finds, such as a client's network address."""
    return f"{kind}~{_pseudonym(text, (now or datetime.now(UTC)).date().isoformat())}"


def _pseudonym(text: str, today: str) -> str:
    return hmac.new(_PSEUDONYM_KEY, f"{today} {text}".encode(), hashlib.sha256).hexdigest()[:12]
