"""Logs: one JSON object per line on standard error, with the request id and the process's name in every line."""

from __future__ import annotations

import logging
import re
import secrets
import sys
from typing import TextIO

import structlog

__all__ = ["REQUEST_ID_HEADER", "bind_request", "configure_logs", "new_request_id", "request_id_from"]

REQUEST_ID_HEADER = "x-request-id"
_ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def configure_logs(process: str, level: str = "INFO", stream: TextIO | None = None, *, colours: bool = False) -> None:
    """Route structlog and the standard library's logging into one format. Call once, where the process starts."""
    target = stream or sys.stderr
    renderer: structlog.types.Processor = (
        # Plain tracebacks: the pretty ones print local variables, and those can be passwords and tokens.
        structlog.dev.ConsoleRenderer(colors=True, exception_formatter=structlog.dev.plain_traceback)
        if colours
        else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([] if colours else [structlog.processors.format_exc_info]),
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.contextvars.bind_contextvars(process=process)


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
