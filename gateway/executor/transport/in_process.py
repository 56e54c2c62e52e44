"""Requests to subgraphs that live in the same process: the ASGI interface without sockets.

The application sees an ordinary HTTP request. Its lifespan is not run here: who passes an application owns its start
and its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from gateway.errors import SubgraphMalformed, SubgraphTimeout, SubgraphTooLarge, SubgraphUnavailable
from gateway.executor.transport.base import GRAPHQL_ACCEPT, SubgraphAnswer, SubgraphRequest, SubgraphTransport

__all__ = ["AsgiApplication", "InProcessTransport"]

Message: TypeAlias = MutableMapping[str, Any]
AsgiApplication: TypeAlias = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class InProcessTransport:
    """Calls ASGI applications by subgraph name; names without one go to `otherwise`."""

    def __init__(
        self,
        applications: Mapping[str, AsgiApplication],
        *,
        otherwise: SubgraphTransport | None = None,
        path: str = "/graphql",
        max_response_bytes: int = 10_000_000,
    ) -> None:
        self._applications = dict(applications)
        self._otherwise = otherwise
        self._path = path
        self._max_response_bytes = max_response_bytes

    async def send(self, request: SubgraphRequest) -> SubgraphAnswer:
        """See SubgraphTransport.send."""
        name = request.subgraph_name
        application = self._applications.get(name)
        if application is None:
            if self._otherwise is None:
                raise SubgraphUnavailable(name, f"subgraph '{name}' has no application")
            return await self._otherwise.send(request)
        call = _Call(name, request, self._path, self._max_response_bytes)
        try:
            async with asyncio.timeout_at(request.deadline):
                await application(call.scope, call.receive, call.send)
        except TimeoutError as error:
            raise SubgraphTimeout(name, f"subgraph '{name}' did not answer in time") from error
        except SubgraphTooLarge:
            raise
        except Exception as error:  # an application's edge: whatever it raises is one failed request
            raise SubgraphUnavailable(name, f"subgraph '{name}' failed") from error
        return call.answer()

    async def aclose(self) -> None:
        """See SubgraphTransport.aclose."""
        if self._otherwise is not None:
            await self._otherwise.aclose()


class _Call:
    """One ASGI call: the request as messages, the answer from messages."""

    def __init__(self, name: str, request: SubgraphRequest, path: str, max_response_bytes: int) -> None:
        headers = {
            "host": "in-process",
            "content-type": "application/json",
            "accept": GRAPHQL_ACCEPT,
            "content-length": str(len(request.body)),
            **request.headers,
        }
        self.scope: MutableMapping[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in headers.items()],
            "client": ("127.0.0.1", 0),
            "server": ("in-process", 80),
            "state": {},
        }
        self._name = name
        self._body: bytes | None = request.body
        self._status: int | None = None
        self._content_type = ""
        self._pieces: list[bytes] = []
        self._room = max_response_bytes
        self._whole = False

    async def receive(self) -> Message:
        if self._body is None:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]  # the client never leaves first
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            for key, value in message.get("headers", ()):
                if key.lower() == b"content-type":
                    self._content_type = value.decode("latin-1")
        elif message["type"] == "http.response.body":
            piece = message.get("body", b"")
            self._room -= len(piece)
            if self._room < 0:
                raise SubgraphTooLarge(self._name, f"subgraph '{self._name}' answered with too many bytes")
            self._pieces.append(piece)
            self._whole = not message.get("more_body", False)

    def answer(self) -> SubgraphAnswer:
        if self._status is None or not self._whole:
            raise SubgraphMalformed(self._name, f"subgraph '{self._name}' broke off its answer")
        return SubgraphAnswer(self._status, b"".join(self._pieces), self._content_type)
