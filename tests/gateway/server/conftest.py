"""One small graph behind a scripted transport; each test may script what the subgraph says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.executor.transport.recorded import RecordedTransport
from tests.support.federation import Federation
from tests.support.gateway import gateway_client

GRAPH = Federation(
    subgraphs={
        "words": """
            type Query { word(text: String!): Word hello: String }
            type Mutation { say(text: String!): String }
            type Word @key(fields: "text") { text: String! length: Int! }
        """,
        "numbers": """
            type Word @key(fields: "text") { text: String! count: Int }
        """,
    },
    roots={
        "word": lambda text: {"__typename": "Word", "text": text, "length": len(text), "count": 1},
        "hello": lambda: "world",
        "say": lambda text: text,
    },
    find=lambda _name, key: {"__typename": "Word", "text": key["text"], "length": len(key["text"]), "count": 1},
)
SDL = GRAPH.supergraph_sdl()

OpenGateway = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def transport() -> RecordedTransport:
    return GRAPH.transport()


@pytest.fixture
def open_gateway(tmp_path: Path, transport: RecordedTransport) -> OpenGateway:
    """Opens a gateway with further settings."""

    def opened(**settings: Any) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        return gateway_client(SDL, transport, tmp_path, **settings)

    return opened


@pytest.fixture
async def client(open_gateway: OpenGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with open_gateway() as opened:
        yield opened
