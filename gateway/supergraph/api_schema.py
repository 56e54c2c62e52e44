"""Model → what clients see: no join or link elements, nothing inaccessible, only executable directives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from graphql import GraphQLSchema, build_schema

from gateway.graphql_kit.collector import paused_collector
from gateway.graphql_kit.type_refs import write_type_ref
from gateway.supergraph.links import link_prefix, linked_directive
from gateway.supergraph.model import (
    Argument,
    DirectiveApplication,
    EnumType,
    Field,
    InputObjectType,
    InterfaceType,
    ObjectType,
    ScalarType,
    Supergraph,
    TypeDefinition,
    UnionType,
)
from gateway.supergraph.sdl_text import (
    body,
    described,
    directive_definition_text,
    directives_text,
    parameters_text,
    quoted,
)

__all__ = ["build_api_schema", "inaccessible_directive", "write_api_sdl"]

_EXECUTABLE_LOCATIONS = frozenset(
    {"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"}
    | {"VARIABLE_DEFINITION"}
)
_SHOWN = frozenset({"deprecated", "specifiedBy"})


def build_api_schema(supergraph: Supergraph) -> GraphQLSchema:
    """The clients' schema as graphql-core knows it, for validation, coercion and introspection."""
    with paused_collector():
        return build_schema(write_api_sdl(supergraph), assume_valid=True, assume_valid_sdl=True)


def write_api_sdl(supergraph: Supergraph, *, with_inaccessible: bool = False) -> str:
    """The clients' schema as SDL text, in the model's order; on demand with what is hidden from clients."""
    hidden = "" if with_inaccessible else inaccessible_directive(supergraph)
    view = _ClientView(supergraph, hidden)
    parts = [view.schema_text()]
    linked = {link_prefix(link) for link in supergraph.links} | {
        name.removeprefix("@") for link in supergraph.links for name in link.imports.values()
    }
    for directive in supergraph.directive_definitions.values():
        locations = [location for location in directive.locations if location in _EXECUTABLE_LOCATIONS]
        if locations and directive.name not in linked and directive.name.split("__", 1)[0] not in linked:
            arguments = {argument.name: argument for argument in view.arguments(directive.arguments)}
            parts.append(directive_definition_text(replace(directive, arguments=arguments), locations))
    parts.extend(view.type_text(definition) for definition in supergraph.types.values() if view.shows(definition))
    return "\n\n".join(part for part in parts if part) + "\n"


def inaccessible_directive(supergraph: Supergraph) -> str:
    """What @inaccessible is called in this supergraph."""
    return linked_directive(supergraph.links, "inaccessible")


class _ClientView:
    """Prints the visible part of each definition."""

    def __init__(self, supergraph: Supergraph, hidden: str) -> None:
        self.supergraph = supergraph
        self.hidden = hidden
        # Types that no subgraph has only serve the arguments of composed directives.
        self.visible = {name for name, t in supergraph.types.items() if t.joins and not self.is_hidden(t.directives)}

    def is_hidden(self, directives: Iterable[DirectiveApplication]) -> bool:
        return any(directive.name == self.hidden for directive in directives)

    def shows(self, definition: TypeDefinition) -> bool:
        return definition.name in self.visible

    def schema_text(self) -> str:
        supergraph = self.supergraph
        roots = {
            "query": supergraph.query_type,
            "mutation": supergraph.mutation_type,
            "subscription": supergraph.subscription_type,
        }
        shown = {kind: name for kind, name in roots.items() if name is not None and name in self.visible}
        usual = all(name == kind.title() for kind, name in shown.items())
        # A type with a root's usual name that is no root would be taken for one without a schema definition.
        accidental = any(kind.title() in self.visible for kind in roots if kind not in shown)
        if usual and not accidental and supergraph.description is None:
            return ""
        lines = [f"  {kind}: {name}" for kind, name in shown.items()]
        return described(supergraph.description, f"schema{body(lines)}")

    def type_text(self, definition: TypeDefinition) -> str:
        match definition:
            case ObjectType() | InterfaceType():
                keyword = "type" if isinstance(definition, ObjectType) else "interface"
                interfaces = [name for name in definition.interfaces if name in self.visible]
                implements = f" implements {' & '.join(interfaces)}" if interfaces else ""
                text = f"{keyword} {definition.name}{implements}{body(list(self.field_lines(definition.fields)))}"
            case UnionType():
                members = [member for member in definition.members if member in self.visible]
                text = f"union {definition.name}" + (f" = {' | '.join(members)}" if members else "")
            case EnumType():
                lines = [
                    described(value.description, f"{value.name}{self.shown(value.directives)}", "  ")
                    for value in definition.values.values()
                    if not self.is_hidden(value.directives)
                ]
                text = f"enum {definition.name}{body(lines)}"
            case InputObjectType():
                lines = [
                    described(
                        field.description,
                        f"{field.name}: {write_type_ref(field.type)}"
                        + (f" = {field.default}" if field.default is not None else "")
                        + self.shown(field.directives),
                        "  ",
                    )
                    for field in definition.fields.values()
                    if not self.is_hidden(field.directives)
                ]
                text = f"input {definition.name}{' @oneOf' if definition.is_one_of else ''}{body(lines)}"
            case ScalarType():
                url = definition.specified_by_url
                text = f"scalar {definition.name}" + (f" @specifiedBy(url: {quoted(url)})" if url else "")
        return described(definition.description, text)

    def field_lines(self, fields: Mapping[str, Field]) -> Iterator[str]:
        for field in fields.values():
            if not self.is_hidden(field.directives):
                parameters = parameters_text(self.arguments(field.arguments), "  ")
                text = f"{field.name}{parameters}: {write_type_ref(field.type)}{self.shown(field.directives)}"
                yield described(field.description, text, "  ")

    def arguments(self, arguments: Mapping[str, Argument]) -> tuple[Argument, ...]:
        return tuple(
            replace(argument, directives=tuple(d for d in argument.directives if d.name in _SHOWN))
            for argument in arguments.values()
            if not self.is_hidden(argument.directives)
        )

    def shown(self, directives: Iterable[DirectiveApplication]) -> str:
        return directives_text(directive for directive in directives if directive.name in _SHOWN)
