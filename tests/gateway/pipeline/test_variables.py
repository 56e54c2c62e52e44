"""Reading variables: what was kept from an equal request is what would be read anew."""

from __future__ import annotations

import gc
from typing import Any

import orjson
import pytest
from graphql import OperationDefinitionNode, build_schema, get_variable_values, parse
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import RequestInvalid
from gateway.executor.operation import CompiledOperation, compile_operation
from gateway.pipeline.variables import VariableReader
from tests.support.hand_made_plans import plan

SCHEMA = build_schema(
    """
    scalar Json
    enum Form { TV PHONE }
    input Device { form: Form! = TV, width: Int!, ratio: Float = 1, names: [String!], json: Json }
    type Query { page(device: Device!, first: Int! = 8, on: Boolean, id: ID): String }
    """
)
TEXT = (
    "query($device: Device!, $first: Int! = 8, $on: Boolean = true, $id: ID) { page(device: $device, first: $first) }"
)


def compiled() -> CompiledOperation:
    (operation,) = parse(TEXT).definitions
    assert isinstance(operation, OperationDefinitionNode)
    return compile_operation(SCHEMA, operation, {}, plan())


_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([1.0, 2.5, "TV", "1", "a"]))
_DEVICES = st.fixed_dictionaries(
    {"width": st.one_of(st.integers(0, 2), _LEAVES)},
    optional={
        "form": st.one_of(st.sampled_from(["TV", "PHONE"]), _LEAVES),
        "ratio": st.one_of(st.floats(0, 2), _LEAVES),
        "names": st.one_of(st.lists(st.sampled_from("ab"), max_size=2), _LEAVES),
        "json": st.one_of(_LEAVES, st.lists(_LEAVES, max_size=2)),
    },
)
_GIVEN = st.fixed_dictionaries(
    {"device": _DEVICES}, optional={"first": _LEAVES, "on": _LEAVES, "id": _LEAVES, "unknown": _LEAVES}
)


@given(requests=st.lists(_GIVEN, min_size=1, max_size=6))
def test_a_kept_reading_is_the_one_that_would_be_made(requests: list[dict[str, Any]]) -> None:
    """Values and errors, in whatever order requests come."""
    operation, reader = compiled(), VariableReader()
    for each in requests * 2:
        expected = get_variable_values(
            SCHEMA, operation.operation.variable_definitions or (), dict(each), max_errors=10
        )
        sent = orjson.loads(orjson.dumps(each))
        if isinstance(expected, list):
            with pytest.raises(RequestInvalid) as refused:
                reader.read(SCHEMA, operation, sent)
            assert [error.message for error in expected] == [error.message for error in refused.value.errors]
        else:
            read = reader.read(SCHEMA, operation, sent)
            assert repr(expected.coerced) == repr(read.coerced)  # tells 1 from 1.0 and from True
            assert read.encoded == {
                name: orjson.dumps({name: each[name]})[1:-1] for name in ("device", "first", "on", "id") if name in each
            }


def test_few_readings_are_kept_and_only_small_ones() -> None:
    """A client that sends something else each time fills no memory, and an operation that is gone leaves nothing."""
    operation, reader = compiled(), VariableReader()
    for number in range(100):
        reader.read(SCHEMA, operation, {"device": {"width": number}})
    large = {"device": {"width": 1, "names": ["a" * 3_000]}}
    assert reader.read(SCHEMA, operation, large).coerced is not reader.read(SCHEMA, operation, large).coerced
    small = {"device": {"width": 99}}
    assert reader.read(SCHEMA, operation, small).coerced is reader.read(SCHEMA, operation, small).coerced
    assert [len(each) for each in reader._kept.values()] == [16]
    del operation
    gc.collect()
    assert not reader._kept


@pytest.mark.parametrize("good", [True, False])
def test_what_is_nested_too_deeply_is_refused(good: bool) -> None:
    """With the name of the variable, or with what is wrong about its type."""
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    with pytest.raises(RequestInvalid) as refused:
        VariableReader().read(SCHEMA, compiled(), {"device": {"width": 1 if good else "x", "json": deep}})
    assert refused.value.errors[0].code == "BAD_USER_INPUT"
