"""Import files as text: plain or gzip, UTF-8 with or without a byte order mark, line by line or element by element.

Hard faults (not readable, cut off, compressed twice, out of all proportion) raise ImportRefused. Soft ones are left to
the row that they are in: bytes that are no UTF-8 become lone surrogates, and of a line that is too long only so much
is kept that its reader sees it.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from subgraphs.titles.imports.rows import ImportRefused, RowUnusable

__all__ = ["MAX_LINE_LENGTH", "ImportFile", "open_import_file", "read_elements", "read_lines", "require_short_line"]

MAX_LINE_LENGTH = 1_000_000
"""Characters; more is no record of a title."""
MAX_RATIO = 200
"""Text in relation to what was sent. Catalogues shrink to a tenth, very uniform ones to a fiftieth."""
RATIO_FREE_BYTES = 64 * 1024 * 1024
"""Below this much text the ratio does not count."""
MAX_TEXT_BYTES = 50 * 1024**3
_GZIP_MAGIC = b"\x1f\x8b"
_PIECE_LENGTH = 65_536


@dataclass(frozen=True, slots=True)
class ImportFile:
    """An opened file: its text, and how far its bytes, as they were sent, have been read."""

    text: io.TextIOWrapper
    raw: BinaryIO

    def bytes_read(self) -> int:
        """Of the file as it was sent."""
        return self.raw.tell()


class _BoundedText(io.RawIOBase):
    """Bytes of `inner`, until they are more than a file of `sent_bytes` may hold."""

    def __init__(self, inner: BinaryIO, sent_bytes: int) -> None:
        self._inner = inner
        self._most = min(MAX_TEXT_BYTES, max(RATIO_FREE_BYTES, MAX_RATIO * sent_bytes))
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # typeshed: a buffer of any kind
        try:
            piece = self._inner.read(len(buffer))
        except (EOFError, OSError, zlib.error) as error:
            raise ImportRefused(f"the file is a damaged or cut-off gzip file: {error}") from error
        if self._read == 0:
            _require_text(piece)
        self._read += len(piece)
        if self._read > self._most:
            raise ImportRefused(
                f"the file unpacks to more than {self._most:,} bytes, {MAX_RATIO} times its size; no catalogue does"
            )
        buffer[: len(piece)] = piece
        return len(piece)


@contextmanager
def open_import_file(path: Path) -> Iterator[ImportFile]:
    """The file, closed at the block's end; raises ImportRefused when it can't be read."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise ImportRefused(f"the file can't be read: {error.strerror}") from error
    with raw:
        is_compressed = raw.read(2) == _GZIP_MAGIC
        sent_bytes = raw.seek(0, io.SEEK_END)
        raw.seek(0)
        inner = cast("BinaryIO", gzip.GzipFile(fileobj=raw, mode="rb")) if is_compressed else raw
        bounded = cast("BinaryIO", io.BufferedReader(_BoundedText(inner, sent_bytes), _PIECE_LENGTH))
        text = io.TextIOWrapper(bounded, encoding="utf-8-sig", errors="surrogateescape", newline="")
        yield ImportFile(text, raw)


def read_lines(file: ImportFile) -> Iterator[str]:
    """Lines with their ends; of one that is too long MAX_LINE_LENGTH + 1 characters, so that its row fails."""
    while line := file.text.readline(MAX_LINE_LENGTH + 1):
        rest = line
        while len(rest) > MAX_LINE_LENGTH and not rest.endswith("\n"):
            rest = file.text.readline(MAX_LINE_LENGTH + 1)
        yield line


def require_short_line(line: str) -> None:
    """Raise RowUnusable for a line that `read_lines` has cut."""
    if len(line) > MAX_LINE_LENGTH:
        raise RowUnusable(f"the line has more than {MAX_LINE_LENGTH:,} characters")


def read_elements(file: ImportFile) -> Iterator[tuple[int, object]]:
    """The elements of a JSON array with the lines that they begin at, one by one; raises ImportRefused for no array.

    Unlike lines, elements can't be found again behind a fault: what is no JSON ends the reading.
    """
    window = _Window(file)
    if window.next_sign() != "[":
        raise window.fault("wanted a JSON array, '['")
    window.skip(1)
    if window.next_sign() == "]":
        return
    while True:
        window.next_sign()
        yield window.line, window.take_value()
        match window.next_sign():
            case "]":
                return
            case ",":
                window.skip(1)
            case _:
                raise window.fault("wanted ',' or ']' behind an element")


class _Window:
    """A stretch of text that grows until a whole value is in it."""

    def __init__(self, file: ImportFile) -> None:
        self._file = file
        self._text = ""
        self._decoder = json.JSONDecoder()
        self.line = 1

    def next_sign(self) -> str:
        """The next character that is no white space, which stays."""
        while not (rest := self._text.lstrip(" \t\r\n")):
            self.skip(len(self._text))
            if not self._grow():
                raise self.fault("the array has no end; is the file cut off?")
        self.skip(len(self._text) - len(rest))
        return self._text[0]

    def skip(self, length: int) -> None:
        self.line += self._text.count("\n", 0, length)
        self._text = self._text[length:]

    def take_value(self) -> object:
        while True:
            try:
                value, length = self._decoder.raw_decode(self._text)
            except RecursionError as error:
                raise self.fault("an element is nested too deeply") from error
            except ValueError as error:
                # Perhaps only its beginning is here.
                if len(self._text) > MAX_LINE_LENGTH:
                    raise self.fault(f"no JSON, or an element of more than {MAX_LINE_LENGTH:,} characters") from error
                if not self._grow():
                    raise self.fault(f"no JSON: {error}") from error
            else:
                self.skip(length)
                return value

    def fault(self, what: str) -> ImportRefused:
        return ImportRefused(f"line {self.line}: {what}; what is there is {self._text[:20]!r}")

    def _grow(self) -> bool:
        piece = self._file.text.read(_PIECE_LENGTH)
        self._text += piece
        return piece != ""


def _require_text(beginning: bytes) -> None:
    if beginning.startswith(_GZIP_MAGIC):
        raise ImportRefused("the file is compressed twice; send it plain or compressed once")
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRefused("the file is UTF-16; wanted UTF-8")
    if beginning.startswith((b"PK\x03\x04", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd")):
        raise ImportRefused("the file is compressed in another way than gzip; send it plain or as gzip")
