"""Requests to subgraphs over HTTP, on aiohttp's connection pool.

Redirects are not followed (a subgraph could send the gateway anywhere) and cookies are not kept. The gateway asks for
an uncompressed answer, since inflating on one machine costs more than it saves; a subgraph that compresses all the
same is inflated here, in bounded pieces, so that the size limit counts what the bytes become.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping

import aiohttp
from yarl import URL

from gateway.errors import SubgraphError, SubgraphMalformed, SubgraphTimeout, SubgraphTooLarge, SubgraphUnavailable
from gateway.executor.transport.base import GRAPHQL_ACCEPT, SubgraphAnswer, SubgraphRequest

__all__ = ["HttpTransport"]

_KEEP_ALIVE_S = 55.0
"""Below the idle time of usual servers and balancers (60 s), so that we close first."""
_CONNECT_TIMEOUT_S = 2.0
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class HttpTransport:
    """POSTs to one address per subgraph. Make it inside a running event loop."""

    def __init__(
        self, urls: Mapping[str, str], *, max_response_bytes: int = 10_000_000, connections_per_host: int = 200
    ) -> None:
        self._urls = {name: URL(url) for name, url in urls.items() if url}
        self._max_response_bytes = max_response_bytes
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, limit_per_host=connections_per_host, keepalive_timeout=_KEEP_ALIVE_S, ttl_dns_cache=60
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
            headers={
                "Content-Type": "application/json",
                "Accept": GRAPHQL_ACCEPT,
                "Accept-Encoding": "identity",
                "User-Agent": "marquee-gateway",
            },
        )

    async def send(self, request: SubgraphRequest) -> SubgraphAnswer:
        """See SubgraphTransport.send."""
        name = request.subgraph_name
        url = self._urls.get(name)
        if url is None:
            raise SubgraphUnavailable(name, f"subgraph '{name}' has no address")
        try:
            async with asyncio.timeout_at(request.deadline):
                try:
                    return await self._post(url, request)
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                    # Many servers close idle connections after seconds; that shows only when the next request is sent.
                    if not request.may_repeat or isinstance(error, aiohttp.ClientConnectorError):
                        raise
                    return await self._post(url, request)
        except TimeoutError as error:
            raise SubgraphTimeout(name, f"subgraph '{name}' did not answer in time") from error
        except SubgraphError:
            raise
        except aiohttp.ClientPayloadError as error:
            raise SubgraphMalformed(name, f"subgraph '{name}' broke off its answer") from error
        except (aiohttp.ClientResponseError, zlib.error) as error:
            raise SubgraphMalformed(name, f"subgraph '{name}' answered with something that is not HTTP") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SubgraphUnavailable(name, f"subgraph '{name}' can't be reached") from error

    async def _post(self, url: URL, request: SubgraphRequest) -> SubgraphAnswer:
        async with self._session.post(
            url, data=request.body, headers=request.headers, allow_redirects=False
        ) as response:
            body = await self._read(request.subgraph_name, response)
            return SubgraphAnswer(response.status, body, response.headers.get("Content-Type", ""))

    def add_urls(self, urls: Mapping[str, str]) -> None:
        """Know further or other addresses from now on; requests under way keep theirs."""
        self._urls = {**self._urls, **{name: URL(url) for name, url in urls.items() if url}}

    async def aclose(self) -> None:
        """See SubgraphTransport.aclose."""
        await self._session.close()

    async def _read(self, name: str, response: aiohttp.ClientResponse) -> bytes:
        limit = self._max_response_bytes
        declared = response.content_length
        if declared is not None and declared > limit:
            raise SubgraphTooLarge(name, f"subgraph '{name}' answered with {declared} bytes; {limit} are allowed")
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding == "identity" and declared is not None:
            return await response.read()
        inflate = self._inflater(name, encoding)
        pieces: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            data = chunk
            while data:
                if inflate is None:
                    piece, data = data, b""
                else:
                    piece = inflate.decompress(data, limit + 1 - size)
                    data = inflate.unconsumed_tail
                size += len(piece)
                if size > limit:
                    raise SubgraphTooLarge(name, f"subgraph '{name}' answered with more than {limit} bytes")
                pieces.append(piece)
                if inflate is not None and inflate.eof:
                    data = b""
        if inflate is not None and not inflate.eof:
            raise SubgraphMalformed(name, f"subgraph '{name}' broke off its compressed answer")
        return b"".join(pieces)

    def _inflater(self, name: str, encoding: str) -> zlib._Decompress | None:
        if encoding in {"identity", ""}:
            return None
        if encoding not in _WINDOW_BITS:
            raise SubgraphMalformed(name, f"subgraph '{name}' used content encoding {encoding[:20]!r}, wanted identity")
        return zlib.decompressobj(_WINDOW_BITS[encoding])
