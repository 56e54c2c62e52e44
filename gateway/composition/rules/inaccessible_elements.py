"""What the rules about @inaccessible start from: what is hidden, and where each element stands in the subgraphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.composition.report import Place
from gateway.composition.stages import MergedSupergraph
from gateway.graphql_kit.type_refs import TypeRef, named_type
from gateway.supergraph.api_schema import inaccessible_directive
from gateway.supergraph.model import (
    Argument,
    DirectiveApplication,
    Field,
    InputField,
    InputObjectType,
    InterfaceType,
    ObjectType,
    TypeDefinition,
)

__all__ = ["Visibility"]


class Visibility:
    """Which elements of the merged schema clients can see."""

    def __init__(self, merged: MergedSupergraph) -> None:
        self.merged = merged
        self.types = merged.supergraph.types
        self.name = inaccessible_directive(merged.supergraph)
        self.is_used = self.name in merged.supergraph.directive_definitions

    def is_hidden(self, directives: Iterable[DirectiveApplication]) -> bool:
        """Whether an element with these directives is @inaccessible itself."""
        return any(directive.name == self.name for directive in directives)

    def shown_types(self) -> Iterator[TypeDefinition]:
        """Types that clients see."""
        return (definition for definition in self.types.values() if not self.is_hidden(definition.directives))

    def is_hidden_type(self, type_ref: TypeRef) -> bool:
        """Whether a reference leads to an @inaccessible type."""
        definition = self.types.get(named_type(type_ref))
        return definition is not None and self.is_hidden(definition.directives)

    def shown_fields(self) -> Iterator[tuple[ObjectType | InterfaceType, Field]]:
        """Fields that clients see."""
        for definition in self.shown_types():
            if isinstance(definition, ObjectType | InterfaceType):
                for field in definition.fields.values():
                    if not self.is_hidden(field.directives):
                        yield definition, field

    def shown_inputs(self) -> Iterator[tuple[str, Argument | InputField]]:
        """Arguments and input fields that clients see, with their coordinates."""
        for definition, field in self.shown_fields():
            for argument in field.arguments.values():
                if not self.is_hidden(argument.directives):
                    yield f"{definition.name}.{field.name}({argument.name}:)", argument
        for directive in self.merged.supergraph.directive_definitions.values():
            for argument in directive.arguments.values():
                if not self.is_hidden(argument.directives):
                    yield f"@{directive.name}({argument.name}:)", argument
        for shown in self.shown_types():
            if isinstance(shown, InputObjectType):
                for input_field in shown.fields.values():
                    if not self.is_hidden(input_field.directives):
                        yield f"{shown.name}.{input_field.name}", input_field

    def places(self, coordinate: str) -> list[Place]:
        """Where a type or field stands in the subgraphs; arguments are found at their field."""
        type_name, _, rest = coordinate.partition(".")
        member = rest.partition("(")[0]
        found: list[Place] = []
        for name, subgraph in self.merged.subgraphs.items():
            definition = subgraph.schema.types.get(type_name)
            if definition is None:
                continue
            element = definition.fields.get(member) or definition.inputs.get(member) or definition.values.get(member)
            if not member:
                found.append((name, definition.node))
            elif element is not None:
                found.append((name, element.node))
        return found
