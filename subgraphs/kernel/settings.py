"""What every subgraph's settings have."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from common.settings import ProcessSettings

__all__ = ["SubgraphSettings"]


class SubgraphSettings(ProcessSettings):
    """Base of the four subgraphs' settings; a subclass sets its environment prefix and its port."""

    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """TCP port; 0 lets the system choose."""
    max_body_bytes: Annotated[int, Field(gt=0)] = 8_000_000
    """Of one request: entity batches carry a thousand representations and more."""
    max_query_tokens: Annotated[int, Field(gt=0)] = 20_000
    """Lexical tokens of one document."""
    max_concurrent_requests: Annotated[int, Field(gt=0)] = 500
    """Requests in work at once; further ones get 503 with Retry-After."""
    request_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """From the request's start to its answer."""
    kept_answers: Annotated[int, Field(ge=0)] = 40_000
    """JSON of objects that many requests ask for alike, kept; about 1 kB each in titles, elsewhere none; 128 MB in
    all at most."""
