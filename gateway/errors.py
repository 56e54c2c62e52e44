"""What can go wrong in the gateway, drawn before it is coded.

    GatewayError
    ├─ RequestRefused(status)              not a well-formed GraphQL-over-HTTP request
    ├─ RequestInvalid(errors)              syntax, validation, variables, limits: no `data`
    ├─ PlanningFailed                      a valid operation that can't be planned: no `data`
    │  ├─ NoPath                           nothing leads to a field; composition should have refused
    │  └─ PlanningBudgetExceeded           out of time or states
    ├─ SubgraphError(subgraph_name)        null at the path, an error beside it
    │  ├─ SubgraphTimeout                  no whole answer before the deadline
    │  ├─ SubgraphUnavailable              no connection
    │  ├─ SubgraphHttpError(status)        an answer, but not a GraphQL one
    │  ├─ SubgraphTooLarge                 more bytes than allowed, counted after inflation
    │  ├─ SubgraphMalformed                bytes that are no GraphQL answer
    │  └─ SubgraphEntitiesInvalid          `_entities` does not fit what was sent
    └─ InternalError                       a broken invariant; logged, never explained to clients

The outcome follows from the class: refused → a refused request; invalid or planning → a request error without data;
subgraph → executed, with nulls and errors; internal → a request error without details. `code` is what clients see in
`extensions.code`; `str(error)` of a SubgraphError is fit for clients: no address, no upstream text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

__all__ = [
    "GatewayError",
    "InternalError",
    "NoPath",
    "PlanningBudgetExceeded",
    "PlanningFailed",
    "RequestInvalid",
    "RequestRefused",
    "ResponseError",
    "ResponsePathKeys",
    "SubgraphEntitiesInvalid",
    "SubgraphError",
    "SubgraphHttpError",
    "SubgraphMalformed",
    "SubgraphTimeout",
    "SubgraphTooLarge",
    "SubgraphUnavailable",
]

ResponsePathKeys: TypeAlias = tuple[str | int, ...]
"""A place in the client's answer: response keys and list indices from the root."""


@dataclass(frozen=True, slots=True)
class ResponseError:
    """One entry of a response's `errors`.

    `path` is None where no field is concerned; `locations` are (line, column) from 1 in the client's document.
    """

    message: str
    code: str
    path: ResponsePathKeys | None = None
    locations: tuple[tuple[int, int], ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The entry as the GraphQL specification writes it."""
        entry: dict[str, Any] = {"message": self.message}
        if self.locations:
            entry["locations"] = [{"line": line, "column": column} for line, column in self.locations]
        if self.path is not None:
            entry["path"] = list(self.path)
        entry["extensions"] = {"code": self.code, **self.extensions}
        return entry


class GatewayError(Exception):
    """Base of all; `code` is the wire code."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"


class RequestRefused(GatewayError):
    """The HTTP request is not a GraphQL request that this server takes; `status` is the HTTP status to answer with."""

    code: ClassVar[str] = "BAD_REQUEST"

    def __init__(
        self, status: int, message: str, *, code: str = "BAD_REQUEST", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = ResponseError(message, code)
        self.headers = dict(headers or {})


class RequestInvalid(GatewayError):
    """A well-formed request that can't be executed; every error says what is wrong and where."""

    code: ClassVar[str] = "GRAPHQL_VALIDATION_FAILED"

    def __init__(self, errors: Sequence[ResponseError], *, status: int | None = None) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)
        self.status = status
        """An HTTP status that must be answered whatever media type was negotiated (401 for a bad token)."""


class PlanningFailed(GatewayError):
    """A valid operation for which no query plan was made."""

    code: ClassVar[str] = "QUERY_PLANNING_FAILED"


class NoPath(PlanningFailed):
    """No subgraph leads to a field; `coordinate` is Type.field, `tried` says per subgraph why not."""

    def __init__(self, coordinate: str, tried: Sequence[str]) -> None:
        super().__init__(f"no subgraph can resolve {coordinate}: {'; '.join(tried) or 'none declares it'}")
        self.coordinate = coordinate
        self.tried = tuple(tried)


class PlanningBudgetExceeded(PlanningFailed):
    """Planning took more than it may; `budget` and `spent` in the unit that `what` names."""

    code: ClassVar[str] = "QUERY_PLANNING_TIMEOUT"

    def __init__(self, what: str, budget: float, spent: float) -> None:
        super().__init__(f"planning used {spent:g} of {budget:g} {what}; simplify the operation or raise the budget")
        self.budget = budget
        self.spent = spent


class SubgraphError(GatewayError):
    """A subgraph gave no usable answer. The message is fit for clients."""

    code: ClassVar[str] = "SUBREQUEST_FAILED"

    def __init__(self, subgraph_name: str, message: str) -> None:
        super().__init__(message)
        self.subgraph_name = subgraph_name


class SubgraphTimeout(SubgraphError):
    """The whole answer was not there in time."""

    code: ClassVar[str] = "SUBREQUEST_TIMEOUT"


class SubgraphUnavailable(SubgraphError):
    """No connection, or it broke before the answer was whole."""

    code: ClassVar[str] = "SUBREQUEST_CONNECT_FAILED"


class SubgraphHttpError(SubgraphError):
    """An HTTP status other than success, with a body that is no GraphQL answer."""

    code: ClassVar[str] = "SUBREQUEST_HTTP_ERROR"

    def __init__(self, subgraph_name: str, status: int) -> None:
        super().__init__(subgraph_name, f"subgraph '{subgraph_name}' answered with HTTP status {status}")
        self.status = status


class SubgraphTooLarge(SubgraphError):
    """The answer is larger than allowed."""

    code: ClassVar[str] = "SUBREQUEST_TOO_LARGE"


class SubgraphMalformed(SubgraphError):
    """The answer is not a GraphQL answer, or not of the shape that was asked for."""

    code: ClassVar[str] = "SUBREQUEST_MALFORMED_RESPONSE"


class SubgraphEntitiesInvalid(SubgraphError):
    """`_entities` is missing, no list, of another length than what was sent, or holds entities in others' places."""

    code: ClassVar[str] = "SUBREQUEST_INVALID_ENTITIES"


class InternalError(GatewayError):
    """A broken invariant of ours."""
