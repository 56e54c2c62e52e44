"""The role that carries one request to one subgraph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["GRAPHQL_ACCEPT", "SubgraphAnswer", "SubgraphRequest", "SubgraphTransport"]

GRAPHQL_ACCEPT = "application/graphql-response+json, application/json;q=0.9"


@dataclass(frozen=True, slots=True)
class SubgraphRequest:
    """One GraphQL request for one subgraph.

    `body` is the finished JSON; `deadline` is a reading of the event loop's clock, after which nobody waits.
    `may_repeat`: sending it twice does no harm (queries), so that a connection that turns out dead can be replaced.
    """

    subgraph_name: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline: float = float("inf")
    may_repeat: bool = False


@dataclass(frozen=True, slots=True)
class SubgraphAnswer:
    """What came back: the HTTP status and the whole body, within the size limit. Nothing of it is trusted yet."""

    status: int
    body: bytes
    content_type: str = "application/json"


class SubgraphTransport(Protocol):
    """Carries requests; safe for concurrent use."""

    async def send(self, request: SubgraphRequest) -> SubgraphAnswer:
        """The answer; raises SubgraphTimeout, SubgraphUnavailable, SubgraphTooLarge or SubgraphMalformed.

        When the caller is cancelled, the request is given up and its connection is not used again.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections. Called once, after the last send."""
        ...
