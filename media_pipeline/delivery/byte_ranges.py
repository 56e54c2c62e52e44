"""Range requests (RFC 9110 section 14), one range at a time. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ByteRange", "RangeNotSatisfiable", "read_range"]

_SINGLE = re.compile(r"^bytes=(\d{0,19})-(\d{0,19})$")


class RangeNotSatisfiable(Exception):
    """The range lies outside of the object: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From `start` up to but not including `end`."""

    start: int
    end: int

    def content_range(self, size_bytes: int) -> str:
        """The Content-Range header."""
        return f"bytes {self.start}-{self.end - 1}/{size_bytes}"


def read_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """The range asked for; None means the whole object.

    Unknown units, several ranges and malformed ones are ignored, as the standard lets a server do. Raises
    RangeNotSatisfiable.
    """
    match = _SINGLE.match(header.replace(" ", "")) if header else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.group(1), match.group(2)
    if first == "":
        if int(last) == 0 or size_bytes == 0:
            raise RangeNotSatisfiable
        return ByteRange(max(0, size_bytes - int(last)), size_bytes)
    start = int(first)
    end = int(last) + 1 if last else size_bytes
    if last and int(last) < start:
        return None
    if start >= size_bytes:
        raise RangeNotSatisfiable
    return ByteRange(start, min(end, size_bytes))
