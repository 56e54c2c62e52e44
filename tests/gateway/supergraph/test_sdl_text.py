"""Descriptions survive printing, whatever they hold."""

from __future__ import annotations

from graphql import ObjectTypeDefinitionNode, parse
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.supergraph.sdl_text import described

TEXT = st.text(alphabet=st.sampled_from([*'ab "\\\n\t', "é", "#", "\r", "\u2028"]), max_size=90)


@given(TEXT)
@example("  indented\n  twice")
@example("\nleading and trailing\n")
@example('ends in "quotes"' + "\n" + 'and again"')
@example('three """ quotes\nin a block')
@example("a" * 80 + "\\")
@example("   " + "blank margin that is long enough to become a block of text, surely, is it not, yes, it is")
def test_descriptions_round_trip(description: str) -> None:
    """Reading a printed type and field gives the same descriptions, at any indentation."""
    field = described(description, "field: Int", "  ")
    document = parse(described(description, f"type Thing {{\n{field}\n}}"))

    definition = document.definitions[0]
    assert isinstance(definition, ObjectTypeDefinitionNode)
    assert definition.description is not None
    assert description == definition.description.value
    assert definition.fields is not None
    assert definition.fields[0].description is not None
    assert description == definition.fields[0].description.value
