"""Sends an import file to a running titles service and follows its progress.

The service owns the store and the index, so an import goes through it; the answer comes as JSON lines while it works.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from subgraphs.titles.imports.run import ImportProgress, ImportRefused, ImportReport
from subgraphs.titles.services.writing import Taken

__all__ = ["read_report_line", "send_import", "write_progress_line", "write_report_line"]

PIECE_BYTES = 256 * 1024
CONNECT_TIMEOUT_S = 5.0
SILENCE_TIMEOUT_S = 120.0
"""Longest pause between two progress lines before the service counts as hung."""


async def send_import(
    base_url: str,
    token: str,
    format_name: str,
    path: Path,
    progress: Callable[[ImportProgress], None] | None = None,
) -> ImportReport:
    """Import through the service at `base_url` with a service token; raises ImportRefused or aiohttp.ClientError."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=SILENCE_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(
            f"{base_url.rstrip('/')}/internal/imports",
            params={"format": format_name},
            headers={"authorization": f"Bearer {token}"},
            data=_pieces(path),
        ) as response,
    ):
        if response.status != 200:
            raise ImportRefused(await _refusal(response))
        async for line in response.content:
            outcome = read_report_line(line)
            if isinstance(outcome, ImportReport):
                return outcome
            if progress is not None:
                progress(outcome)
    raise ImportRefused("the service ended the import without a report; see its log, and start the import again")


def write_progress_line(progress: ImportProgress) -> bytes:
    """One line of the answer."""
    return orjson.dumps({"progress": progress}) + b"\n"


def write_report_line(outcome: ImportReport | str) -> bytes:
    """The last line: a report, or why there is none."""
    return orjson.dumps({"error": outcome} if isinstance(outcome, str) else {"report": outcome}) + b"\n"


def read_report_line(line: bytes) -> ImportProgress | ImportReport:
    """What a line says; raises ImportRefused for an error line."""
    message: dict[str, Any] = orjson.loads(line)
    if "error" in message:
        raise ImportRefused(str(message["error"]))
    if "progress" in message:
        values = message["progress"]
        return ImportProgress(values["read"], Taken(**values["taken"]), values["rejected"])
    report = message["report"]
    listed = {name: tuple((line_, reason) for line_, reason in report[name]) for name in ("rejected", "repaired")}
    return ImportReport(**{**report, **listed})


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


async def _refusal(response: aiohttp.ClientResponse) -> str:
    try:
        message = (await response.json())["error"]
    except (ValueError, KeyError, aiohttp.ContentTypeError):
        message = "no reason given"
    return f"the titles service answered {response.status}: {message}"
