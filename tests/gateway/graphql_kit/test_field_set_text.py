"""Field sets have one spelling, and order does not matter for what they select."""

from __future__ import annotations

import pytest

from gateway.graphql_kit.field_set_text import FieldSetInvalid, canonical_field_set, selection_shape


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("id", "id"),
        (" id,name ", "id name"),
        ("{ id }", "id"),
        ("id org{id}", "id org { id }"),
        ("... on Film{title(max:3 , full :true)}", "... on Film { title(max: 3, full: true) }"),
        ("a: id @include(if: true)", "a: id @include(if: true)"),
        ("id # the key", "id"),
    ],
)
def test_canonical_spelling(text: str, canonical: str) -> None:
    """Single spaces, no commas, no outer braces; the canonical text is its own canonical form."""
    assert canonical == canonical_field_set(text)
    assert canonical == canonical_field_set(canonical)


@pytest.mark.parametrize("text", ["", "id {", "id { }", "}", "id } { id", "1", "{" * 5000 + "}" * 5000])
def test_refuses_what_is_no_field_set(text: str) -> None:
    """Anything that is not one selection set with something in it."""
    with pytest.raises(FieldSetInvalid):
        canonical_field_set(text)


def test_shape_ignores_order_and_repetition() -> None:
    """Two keys are the same when they select the same."""
    assert selection_shape("id org { id name }") == selection_shape("org { name } id org { id }")
    assert selection_shape("id org { id }") != selection_shape("id org { id name }")
