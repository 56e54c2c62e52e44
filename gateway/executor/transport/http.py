"""Requests to subgraphs over HTTP, on a pool of connections per origin.

Redirects are not followed (a subgraph could send the gateway anywhere) and cookies are not kept. The gateway asks for
an uncompressed answer, since inflating on one machine costs more than it saves; a subgraph that compresses all the
same is inflated here, so that the size limit counts what the bytes become.
"""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from yarl import URL

from gateway.errors import SubgraphMalformed, SubgraphTimeout, SubgraphTooLarge, SubgraphUnavailable
from gateway.executor.transport.base import GRAPHQL_ACCEPT, SubgraphAnswer, SubgraphRequest
from gateway.executor.transport.connection import (
    AnswerBroken,
    AnswerNotHttp,
    AnswerTooLarge,
    ConnectionLost,
    RawAnswer,
)
from gateway.executor.transport.pool import ConnectionPool, Origin

__all__ = ["HttpTransport"]

_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_OWN_HEADERS = {
    "content-type": "application/json",
    "accept": GRAPHQL_ACCEPT,
    "accept-encoding": "identity",
    "user-agent": "marquee-gateway",
}
_NEVER_FORWARDED = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "transfer-encoding", "upgrade"}
)
"""They tell of one connection, and of this request's framing."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Target:
    """One subgraph's address, made ready: the head's first line, and its headers when none is replaced."""

    pool: ConnectionPool
    request_line: bytes
    headers: Mapping[str, str]
    written_headers: bytes


class HttpTransport:
    """POSTs to one address per subgraph. Make it inside a running event loop."""

    def __init__(
        self, urls: Mapping[str, str], *, max_response_bytes: int = 10_000_000, connections_per_host: int = 200
    ) -> None:
        self._max_response_bytes = max_response_bytes
        self._connections_per_host = connections_per_host
        self._pools: dict[Origin, ConnectionPool] = {}
        self._targets: dict[str, _Target] = {}
        self.add_urls(urls)

    async def send(self, request: SubgraphRequest) -> SubgraphAnswer:
        """See SubgraphTransport.send."""
        name = request.subgraph_name
        target = self._targets.get(name)
        if target is None:
            raise SubgraphUnavailable(name, f"subgraph '{name}' has no address")
        try:
            async with asyncio.timeout_at(request.deadline):
                answer = await self._exchange(target, request)
        except TimeoutError as error:
            raise SubgraphTimeout(name, f"subgraph '{name}' did not answer in time") from error
        except AnswerBroken as error:
            raise SubgraphMalformed(name, f"subgraph '{name}' broke off its answer") from error
        except AnswerNotHttp as error:
            raise SubgraphMalformed(name, f"subgraph '{name}' answered with something that is not HTTP") from error
        except AnswerTooLarge as error:
            raise self._too_large(name, error.declared_bytes) from error
        except (ConnectionLost, OSError, ValueError) as error:
            raise SubgraphUnavailable(name, f"subgraph '{name}' can't be reached") from error
        if answer.content_encoding == "identity":
            return SubgraphAnswer(answer.status, answer.body, answer.content_type)
        return SubgraphAnswer(answer.status, self._inflate(name, answer), answer.content_type)

    def add_urls(self, urls: Mapping[str, str]) -> None:
        """Know further or other addresses from now on; requests under way keep theirs."""
        targets: dict[str, _Target | None] = {**self._targets}
        for name, url in urls.items():
            if url:
                targets[name] = self._target(name, url)
        self._targets = {name: target for name, target in targets.items() if target is not None}

    async def aclose(self) -> None:
        """See SubgraphTransport.aclose."""
        for pool in self._pools.values():
            await pool.aclose()

    def _target(self, name: str, text: str) -> _Target | None:
        """None for what is no http or https URL with a host: its subgraph has no address then."""
        try:
            url = URL(text)
        except ValueError:
            url = URL()
        if url.scheme not in {"http", "https"} or not url.host or url.port is None:
            _log.warning("a subgraph's address is no http or https URL", subgraph=name)
            return None
        origin = Origin(url.host, url.port, url.scheme == "https")
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = ConnectionPool(
                origin, limit=self._connections_per_host, max_body_bytes=self._max_response_bytes
            )
        headers = {"host": url.host_port_subcomponent or "", **_OWN_HEADERS}
        if url.user is not None:
            credentials = base64.b64encode(f"{url.user}:{url.password or ''}".encode()).decode()
            headers["authorization"] = f"Basic {credentials}"
        return _Target(pool, f"POST {url.raw_path_qs} HTTP/1.1\r\n".encode(), headers, _written(headers))

    async def _exchange(self, target: _Target, request: SubgraphRequest) -> RawAnswer:
        written = _request(target, request)
        try:
            return await target.pool.exchange(written, fresh=False)
        except ConnectionLost:
            # Many servers close idle connections after seconds; that shows only when the next request is sent.
            if not request.may_repeat:
                raise
            return await target.pool.exchange(written, fresh=True)

    def _inflate(self, name: str, answer: RawAnswer) -> bytes:
        bits = _WINDOW_BITS.get(answer.content_encoding)
        if bits is None:
            raise SubgraphMalformed(
                name, f"subgraph '{name}' used content encoding {answer.content_encoding[:20]!r}, wanted identity"
            )
        inflater = zlib.decompressobj(bits)
        try:
            body = inflater.decompress(answer.body, self._max_response_bytes + 1)
        except zlib.error as error:
            raise SubgraphMalformed(name, f"subgraph '{name}' answered with something that is not HTTP") from error
        if len(body) > self._max_response_bytes:
            raise self._too_large(name, None)
        if not inflater.eof:
            raise SubgraphMalformed(name, f"subgraph '{name}' broke off its compressed answer")
        return body

    def _too_large(self, name: str, declared_bytes: int | None) -> SubgraphTooLarge:
        limit = self._max_response_bytes
        if declared_bytes is None:
            return SubgraphTooLarge(name, f"subgraph '{name}' answered with more than {limit} bytes")
        return SubgraphTooLarge(name, f"subgraph '{name}' answered with {declared_bytes} bytes; {limit} are allowed")


def _request(target: _Target, request: SubgraphRequest) -> bytes:
    """The whole request; raises ValueError for a header that can't be written."""
    given = {name.lower(): value for name, value in request.headers.items()}
    if given.keys().isdisjoint(target.headers) and given.keys().isdisjoint(_NEVER_FORWARDED):
        headers = target.written_headers + _written(given)
    else:
        kept = {name: value for name, value in given.items() if name not in _NEVER_FORWARDED}
        headers = _written({**target.headers, **kept})
    return b"%bcontent-length: %d\r\n%b\r\n%b" % (target.request_line, len(request.body), headers, request.body)


def _written(headers: Mapping[str, str]) -> bytes:
    """Header lines. Raises ValueError where a name or value would begin another line."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers) or "\0" in lines:
        raise ValueError("a header holds a line break")
    return lines.encode("latin-1")
