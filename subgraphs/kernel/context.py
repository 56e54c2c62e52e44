"""What a resolver may know about the request that it serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from common.clock import Clock
from common.tokens import Viewer
from subgraphs.kernel.loaders import Loaders

__all__ = ["RequestContext", "RequestHead"]


@dataclass(frozen=True, slots=True)
class RequestHead:
    """One request as the app factory saw it: the viewer is verified, `client_address` is an IP address in text.

    `now` was read once, so that every decision of one request is taken at one instant. `viewer_token` is the signed
    viewer context as it came, to be handed on to internal services, which verify it again; None when anonymous.
    """

    viewer: Viewer
    clock: Clock
    now: datetime
    request_id: str
    client_address: str
    viewer_token: str | None = None


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """The GraphQL context of one request; a subgraph adds its services by inheriting."""

    head: RequestHead
    loaders: Loaders = field(default_factory=Loaders)

    @property
    def viewer(self) -> Viewer:
        """Who is asking."""
        return self.head.viewer

    @property
    def now(self) -> datetime:
        """The request's instant."""
        return self.head.now

    @property
    def request_id(self) -> str:
        """The id in logs and masked errors."""
        return self.head.request_id
