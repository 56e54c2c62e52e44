"""DIRECTIVE_COMPOSITION_ERROR after merging: a composed directive stands only where its definition allows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.composition.report import Report
from gateway.composition.stages import MergedSupergraph
from gateway.supergraph.model import (
    Argument,
    DirectiveApplication,
    EnumType,
    InputObjectType,
    InterfaceType,
    ObjectType,
    ScalarType,
    Supergraph,
    TypeDefinition,
    UnionType,
)

__all__ = ["check_directive_composition_error"]

Applied = tuple[str, str, tuple[DirectiveApplication, ...]]
"""(coordinate, location, directives)."""


def check_directive_composition_error(merged: MergedSupergraph, report: Report) -> None:
    """Reports uses that the definition taken into the supergraph does not allow; another subgraph's did."""
    definitions = merged.supergraph.directive_definitions
    if not definitions:
        return
    for coordinate, location, directives in _elements(merged.supergraph):
        for directive in directives:
            definition = definitions.get(directive.name)
            if definition is not None and location not in definition.locations:
                allowed = ", ".join(definition.locations)
                message = (
                    f'"@{directive.name}" stands on "{coordinate}" ({location}), but the definition taken into the '
                    f"supergraph allows {allowed} only: give it the same locations in all subgraphs"
                )
                report.error("DIRECTIVE_COMPOSITION_ERROR", message)


def _elements(supergraph: Supergraph) -> Iterator[Applied]:
    yield "schema", "SCHEMA", supergraph.schema_directives
    for definition in supergraph.types.values():
        yield from _parts(definition)
    for directive in supergraph.directive_definitions.values():
        yield from _arguments(f"@{directive.name}", directive.arguments.values())


def _parts(definition: TypeDefinition) -> Iterator[Applied]:
    name = definition.name
    match definition:
        case ObjectType() | InterfaceType():
            yield name, "OBJECT" if isinstance(definition, ObjectType) else "INTERFACE", definition.directives
            for field in definition.fields.values():
                yield f"{name}.{field.name}", "FIELD_DEFINITION", field.directives
                yield from _arguments(f"{name}.{field.name}", field.arguments.values())
        case InputObjectType():
            yield name, "INPUT_OBJECT", definition.directives
            for input_field in definition.fields.values():
                yield f"{name}.{input_field.name}", "INPUT_FIELD_DEFINITION", input_field.directives
        case EnumType():
            yield name, "ENUM", definition.directives
            for value in definition.values.values():
                yield f"{name}.{value.name}", "ENUM_VALUE", value.directives
        case UnionType():
            yield name, "UNION", definition.directives
        case ScalarType():
            yield name, "SCALAR", definition.directives


def _arguments(owner: str, arguments: Iterable[Argument]) -> Iterator[Applied]:
    for argument in arguments:
        yield f"{owner}({argument.name}:)", "ARGUMENT_DEFINITION", argument.directives
