"""One subgraph's absence must not null what others answer: see docs/decisions/0005."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeNode,
    parse,
)

SUBGRAPHS = Path(__file__).parents[2] / "schema" / "subgraphs"
OWNERS = {
    "Account": "profiles",
    "Profile": "profiles",
    "Title": "titles",
    "Movie": "titles",
    "Series": "titles",
    "Season": "titles",
    "Episode": "titles",
    "Genre": "titles",
    "Artwork": "titles",
}


def types_of(subgraph: str) -> Iterator[ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode]:
    for definition in parse((SUBGRAPHS / f"{subgraph}.graphql").read_text()).definitions:
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            yield definition


def named(node: TypeNode) -> str:
    while not hasattr(node, "name"):
        node = node.type
    return str(node.name.value)


def has(field: FieldDefinitionNode, directive: str) -> bool:
    return any(each.name.value == directive for each in field.directives or ())


@pytest.mark.parametrize("subgraph", ["profiles", "titles", "playback", "recommendations"])
def test_references_to_others_entities_are_nullable(subgraph: str) -> None:
    """A field that returns an entity of another subgraph may be null."""
    strict = [
        f"{parent.name.value}.{field.name.value}"
        for parent in types_of(subgraph)
        for field in parent.fields or ()
        if OWNERS.get(named(field.type), subgraph) != subgraph and isinstance(field.type, NonNullTypeNode)
    ]

    assert strict == []


@pytest.mark.parametrize("subgraph", ["profiles", "titles", "playback", "recommendations"])
def test_fields_added_to_others_entities_are_nullable(subgraph: str) -> None:
    """What a subgraph adds to an entity that it does not own may be null; keys and external fields are not added."""
    strict = [
        f"{parent.name.value}.{field.name.value}"
        for parent in types_of(subgraph)
        if OWNERS.get(parent.name.value, subgraph) != subgraph
        for field in parent.fields or ()
        if field.name.value != "id" and not has(field, "external") and isinstance(field.type, NonNullTypeNode)
    ]

    assert strict == []
