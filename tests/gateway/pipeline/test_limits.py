"""Limits measure what execution would meet, in time linear in the text."""

from __future__ import annotations

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from gateway.errors import RequestInvalid
from gateway.pipeline.limits import OperationLimits, OperationSize, check_limits, measure_operation


def size(text: str) -> OperationSize:
    document = parse(text)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    return measure_operation(operation, fragments)


def test_fragments_count_where_they_are_spread() -> None:
    text = """
        query @x { a: one { ...F ...F b @include(if: true) } ...R ... { two } }
        fragment F on T { c: d { e } f @skip(if: false) }
        fragment R on Query { three { four } }
    """
    assert size(text) == OperationSize(depth=3, fields=11, aliases=3, directives=4, root_fields=3)


def test_a_text_that_stands_for_millions_of_fields_is_measured_at_once() -> None:
    text = "{ ...F0 }" + "".join(
        f" fragment F{i} on Q {{ a{i}: x {{ ...F{i + 1} }} b{i}: x {{ ...F{i + 1} }} }}" for i in range(60)
    )
    measured = size(text + " fragment F60 on Q { leaf }")
    assert measured.fields == 10**9
    assert measured.depth == 61


def test_circles_end() -> None:
    assert size("{ ...A } fragment A on Q { x ...B } fragment B on Q { y ...A }").fields == 2


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (OperationLimits(max_depth=2), "levels of depth"),
        (OperationLimits(max_fields=3), "fields"),
        (OperationLimits(max_aliases=1), "aliases"),
        (OperationLimits(max_root_fields=1), "fields at the root"),
        (OperationLimits(max_directives=0), "directives"),
    ],
)
def test_each_limit_is_named_with_what_was_seen(limits: OperationLimits, what: str) -> None:
    document = parse("{ a: x { b: y { z } } w @include(if: true) }")
    check_limits(document, OperationLimits())
    with pytest.raises(RequestInvalid, match=rf"the operation has \d+ {what}; at most \d are allowed") as raised:
        check_limits(document, limits)
    assert raised.value.errors[0].code == "OPERATION_TOO_LARGE"


def test_documents_with_too_many_parts_are_refused() -> None:
    many = " ".join(f"query Q{i} {{ a }}" for i in range(1001))
    with pytest.raises(RequestInvalid, match="definitions"):
        check_limits(parse(many), OperationLimits())
    variables = " ".join(f"$v{i}: Int" for i in range(1001))
    with pytest.raises(RequestInvalid, match="variables"):
        check_limits(parse(f"query({variables}) {{ a }}"), OperationLimits())
