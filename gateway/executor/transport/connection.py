"""One HTTP/1.1 connection to a subgraph: it sends a request and collects the whole answer, one exchange at a time.

Why not a general client: what is sent here is always one POST with its body, and what is wanted of an answer is its
status, two headers and its bytes. On uvloop and llhttp (both serve the gateway's own clients already) that takes 30 µs
of processor time, in aiohttp 100; a page needs three such requests.

Nothing of an answer is trusted: a head that is too large, a body above the limit, bytes that nobody asked for and
everything that llhttp does not take for HTTP end the connection.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import cast

import httptools

__all__ = ["AnswerBroken", "AnswerNotHttp", "AnswerTooLarge", "ConnectionLost", "HttpConnection", "RawAnswer"]

_MAX_HEAD_BYTES = 65_536
_BODILESS = frozenset({204, 304})


class ConnectionLost(Exception):
    """The connection ended before an answer began: a server that closed it while it was idle, or that died."""


class AnswerBroken(Exception):
    """The connection ended in the middle of an answer."""


class AnswerNotHttp(Exception):
    """What came is no HTTP answer, or has a head that nobody should read."""


class AnswerTooLarge(Exception):
    """The body has more bytes than are allowed; `declared_bytes` is what its head said, None when it said nothing."""

    def __init__(self, declared_bytes: int | None) -> None:
        super().__init__()
        self.declared_bytes = declared_bytes


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it was sent; the body may be compressed in the way that `content_encoding` names."""

    status: int
    content_type: str
    content_encoding: str
    body: bytes


class HttpConnection(asyncio.Protocol):
    """The client's end. The methods below `exchange` are called by the event loop and by the parser."""

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[RawAnswer] | None = None
        self._keeps_alive = False
        self._lost = asyncio.Event()
        self.idle_since = 0.0
        """A reading of the event loop's clock, set by whoever keeps the connection."""
        self._forget_answer()

    @property
    def is_reusable(self) -> bool:
        """Whether another request may be sent, as far as this side knows."""
        return self._keeps_alive and self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes) -> RawAnswer:
        """Send a request and return its answer.

        Raises ConnectionLost, AnswerBroken, AnswerNotHttp or AnswerTooLarge. After any of these, and when the caller
        is cancelled, the connection must be aborted.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionLost
        self._forget_answer()
        self._keeps_alive = False
        self._answer = asyncio.get_running_loop().create_future()
        transport.write(request)
        return await self._answer

    def abort(self) -> None:
        """End the connection now; whoever still waits for an answer is told that it is lost."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_lost(self) -> None:
        """Return when the connection has ended."""
        await self._lost.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._answer is None:  # nobody asked
            self.abort()
            return
        self._bytes_beside_body += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(AnswerNotHttp(str(error)))
        if self._bytes_beside_body > _MAX_HEAD_BYTES:
            self._fail(AnswerNotHttp("the head, or what stands between and behind parts of the body, is too large"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._lost.set()
        if self._answer is None:
            return
        if self._ends_with_connection and exc is None:
            self.on_message_complete()
        else:
            self._fail(AnswerBroken() if self._has_head else ConnectionLost())

    def on_message_begin(self) -> None:
        """An answer begins; after the one that was asked for there must be none."""
        if self._answer is None:
            self._keeps_alive = False
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; of repeated ones the first counts."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > _MAX_HEAD_BYTES:
            self._fail(AnswerNotHttp("the head is too large"))
        else:
            self._headers.setdefault(name.lower(), value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        status = self._parser.get_status_code()
        if status < 200:
            return
        self._has_head = True
        declared = self._headers.get(b"content-length")
        if declared is not None:
            if int(declared) > self._max_body_bytes:
                self._fail(AnswerTooLarge(int(declared)))
        elif b"transfer-encoding" not in self._headers and status not in _BODILESS:
            self._ends_with_connection = True

    def on_body(self, piece: bytes) -> None:
        """A part of the body."""
        self._bytes_beside_body = 0
        self._body_bytes += len(piece)
        if self._body_bytes > self._max_body_bytes:
            self._fail(AnswerTooLarge(None))
        else:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The answer is whole, or was an interim one (1xx) that nobody wants."""
        status = self._parser.get_status_code()
        if status < 200:
            self._forget_answer()
            return
        self._keeps_alive = not self._ends_with_connection and self._parser.should_keep_alive()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            pieces, headers = self._pieces, self._headers
            answer.set_result(
                RawAnswer(
                    status,
                    headers.get(b"content-type", b"").decode("latin-1"),
                    headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower(),
                    pieces[0] if len(pieces) == 1 else b"".join(pieces),
                )
            )

    def _forget_answer(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self._bytes_beside_body = self._head_bytes = self._body_bytes = 0
        self._has_head = self._ends_with_connection = False

    def _fail(self, error: Exception) -> None:
        """The answer can't be had; what else comes belongs to nobody."""
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        self.abort()
