"""A request's variables: checked and coerced by their declared types, and written as JSON for subgraphs.

Coercing a device's description by graphql-core takes 70 µs, twice as long as asking a subgraph for a page, and a client
describes the same device every time. So the last few results of an operation are kept by the JSON of what was given:
equal JSON is coerced equally, since nothing else decides it but the operation and its schema (held by
tests/gateway/pipeline/test_variables.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import orjson
from graphql import GraphQLSchema, get_variable_values

from gateway.errors import RequestInvalid, ResponseError
from gateway.executor.operation import CompiledOperation
from gateway.pipeline.operations import response_error

__all__ = ["ReadVariables", "VariableReader"]

_MAX_ERRORS = 10
_KEPT_PER_OPERATION = 16
_MAX_KEPT_BYTES = 2_000
"""Of one request's variables; larger ones are hardly the same again."""

_Key: TypeAlias = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ReadVariables:
    """`coerced` decides conditions and must not be changed; `encoded` is `"name":value` of each that was given."""

    coerced: Mapping[str, Any]
    encoded: Mapping[str, bytes]


class VariableReader:
    """Only the event loop's thread touches it; what was kept of an operation goes when the operation goes."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[CompiledOperation, OrderedDict[_Key, Mapping[str, Any]]] = WeakKeyDictionary()

    def read(self, schema: GraphQLSchema, compiled: CompiledOperation, given: Mapping[str, Any]) -> ReadVariables:
        """The variables of an operation that was compiled for this schema.

        Raises RequestInvalid for values that do not fit their types, or are nested too deeply to be written.
        """
        if not compiled.operation.variable_definitions:
            return ReadVariables({}, {})
        try:
            encoded = _encode(compiled, given)
        except RequestInvalid:
            _coerce(schema, compiled, given)  # its words, if it has any, say more
            raise
        key = tuple(encoded.values())
        if sum(map(len, key)) > _MAX_KEPT_BYTES:
            return ReadVariables(_coerce(schema, compiled, given), encoded)
        kept = self._kept.setdefault(compiled, OrderedDict())
        coerced = kept.get(key)
        if coerced is None:
            coerced = kept[key] = _coerce(schema, compiled, given)
            if len(kept) > _KEPT_PER_OPERATION:
                kept.popitem(last=False)
        else:
            kept.move_to_end(key)
        return ReadVariables(coerced, encoded)


def _coerce(schema: GraphQLSchema, compiled: CompiledOperation, given: Mapping[str, Any]) -> Mapping[str, Any]:
    definitions = compiled.operation.variable_definitions or ()
    result = get_variable_values(schema, definitions, dict(given), max_errors=_MAX_ERRORS)
    if isinstance(result, list):
        raise RequestInvalid([response_error(error, "BAD_USER_INPUT") for error in result])
    return result.coerced


def _encode(compiled: CompiledOperation, given: Mapping[str, Any]) -> dict[str, bytes]:
    encoded: dict[str, bytes] = {}
    for definition in compiled.operation.variable_definitions or ():
        name = definition.variable.name.value
        if name in given:
            try:
                encoded[name] = orjson.dumps(name) + b":" + orjson.dumps(given[name])
            except TypeError as error:
                raise RequestInvalid(
                    [ResponseError(f"variable '{name}' is nested too deeply", "BAD_USER_INPUT")]
                ) from error
    return encoded
