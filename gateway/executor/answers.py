"""Reading what a subgraph answered. Nothing downstream is trusted: every shape is looked at before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from gateway.errors import SubgraphHttpError, SubgraphMalformed
from gateway.executor.transport.base import SubgraphAnswer

__all__ = ["GraphQLAnswer", "read_answer"]

_MEDIA_TYPES = frozenset({"application/json", "application/graphql-response+json", "application/graphql+json"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class GraphQLAnswer:
    """A GraphQL answer: `data` is an object or None; `errors` are the entries as they came, which may be anything."""

    data: dict[str, Any] | None
    errors: list[Any]


def read_answer(subgraph_name: str, answer: SubgraphAnswer) -> GraphQLAnswer:
    """The GraphQL answer in an HTTP answer; raises SubgraphHttpError or SubgraphMalformed.

    An error status with a GraphQL body that tells errors is taken by its body; data without a success status is not.
    """
    succeeded = 200 <= answer.status < 300  # 294 is data with errors in the newest drafts
    if succeeded and answer.content_type.partition(";")[0].strip().lower() not in _MEDIA_TYPES:
        raise SubgraphMalformed(subgraph_name, f"subgraph '{subgraph_name}' answered with something other than JSON")
    body = answer.body.removeprefix(_BYTE_ORDER_MARK)
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not succeeded:
            raise SubgraphHttpError(subgraph_name, answer.status) from error
        raise SubgraphMalformed(subgraph_name, f"subgraph '{subgraph_name}' answered with broken JSON") from error
    if not isinstance(payload, dict):
        if not succeeded:
            raise SubgraphHttpError(subgraph_name, answer.status)
        raise SubgraphMalformed(subgraph_name, f"subgraph '{subgraph_name}' answered with JSON that is no object")
    data, errors = payload.get("data"), payload.get("errors")
    if errors is None:
        errors = []
    elif not isinstance(errors, list):
        errors = [errors]
    if not succeeded and not errors:
        raise SubgraphHttpError(subgraph_name, answer.status)
    if data is not None and not isinstance(data, dict):
        raise SubgraphMalformed(subgraph_name, f"subgraph '{subgraph_name}' answered with data that is no object")
    if data is None and not errors:
        raise SubgraphMalformed(subgraph_name, f"subgraph '{subgraph_name}' answered with neither data nor errors")
    return GraphQLAnswer(data, errors)
