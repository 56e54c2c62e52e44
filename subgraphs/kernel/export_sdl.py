"""Prints a subgraph's SDL, as the composer and people read it: `python -m subgraphs.kernel.export_sdl profiles`.

Without the fields and types that every federated server adds for the gateway (`_entities`, `_service` and theirs), so
that what is reviewed is what the subgraph's authors wrote. The same schema always gives the same text.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from graphql import (
    REMOVE,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    Node,
    NullValueNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    UnionTypeDefinitionNode,
    Visitor,
    VisitorAction,
    parse,
    print_ast,
    visit,
)
from strawberry.printer import print_schema

from subgraphs.kernel.entities import FederatedSchema

__all__ = ["SUBGRAPH_NAMES", "export_sdl", "load_schema"]

SUBGRAPH_NAMES = ("profiles", "titles", "playback", "recommendations")
_MACHINERY_TYPES = frozenset({"_Any", "_Entity", "_Service"})
_MACHINERY_FIELDS = frozenset({"_entities", "_service"})


def export_sdl(schema: FederatedSchema) -> str:
    """The subgraph's SDL with its federation directives and link, definitions in the order of their names."""
    document = visit(parse(print_schema(schema)), _WithoutMachinery())
    return print_ast(document) + "\n"


class _WithoutMachinery(Visitor):
    """Takes out the fields and types that are there for the gateway, and defaults that say nothing."""

    def enter_object_type_definition(self, node: ObjectTypeDefinitionNode, *_: Any) -> VisitorAction:
        return REMOVE if node.name.value in _MACHINERY_TYPES else None

    def enter_union_type_definition(self, node: UnionTypeDefinitionNode, *_: Any) -> VisitorAction:
        return REMOVE if node.name.value in _MACHINERY_TYPES else None

    def enter_scalar_type_definition(self, node: ScalarTypeDefinitionNode, *_: Any) -> VisitorAction:
        return REMOVE if node.name.value in _MACHINERY_TYPES else None

    def enter_field_definition(self, node: FieldDefinitionNode, *_: Any) -> VisitorAction:
        return REMOVE if node.name.value in _MACHINERY_FIELDS else None

    def enter_input_value_definition(self, node: InputValueDefinitionNode, *_: Any) -> Node | None:
        # Python's way to say "may be left out" prints as `= null`, which says the same as no default at all.
        if not isinstance(node.default_value, NullValueNode):
            return None
        return InputValueDefinitionNode(
            name=node.name, type=node.type, description=node.description, directives=node.directives
        )


def load_schema(subgraph_name: str) -> FederatedSchema:
    """The schema of one of ours, `subgraphs.<name>.api.schema:schema`; raises ValueError for another name."""
    if subgraph_name not in SUBGRAPH_NAMES:
        raise ValueError(f"no subgraph {subgraph_name!r}; known are {', '.join(SUBGRAPH_NAMES)}")
    schema = importlib.import_module(f"subgraphs.{subgraph_name}.api.schema").schema
    if not isinstance(schema, FederatedSchema):
        raise TypeError(
            f"subgraphs.{subgraph_name}.api.schema:schema is {type(schema).__name__}, wanted build_schema's"
        )
    return schema


def main() -> None:
    """Print the SDL of the subgraph named on the command line."""
    if len(sys.argv) != 2 or sys.argv[1] in {"-h", "--help"}:
        print(f"usage: python -m subgraphs.kernel.export_sdl {{{','.join(SUBGRAPH_NAMES)}}}", file=sys.stderr)
        raise SystemExit(0 if len(sys.argv) == 2 else 2)
    try:
        print(export_sdl(load_schema(sys.argv[1])), end="")
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
