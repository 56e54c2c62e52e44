"""Directive definitions of the supergraph: executable ones that all share, and those of composed directives."""

from __future__ import annotations

from graphql import parse_const_value, print_ast

from gateway.composition.federation_spec import DirectiveSpecification
from gateway.composition.merge.arguments import merge_arguments
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.state import MergeState
from gateway.composition.report import Place
from gateway.composition.subgraph_schema import SubgraphDirective
from gateway.graphql_kit.type_refs import read_type_ref
from gateway.supergraph.model import (
    Argument,
    DirectiveDefinition,
    LinkedSpecification,
    ScalarType,
    SubgraphName,
)

__all__ = ["composed_links", "merge_directive_definitions", "specified_definition", "supporting_scalars"]

_EXECUTABLE = frozenset(
    {"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"}
    | {"VARIABLE_DEFINITION"}
)


def merge_directive_definitions(state: MergeState) -> dict[str, DirectiveDefinition]:
    """By name, sorted."""
    merged: dict[str, DirectiveDefinition] = {}
    for name, specification in state.directives.by_role.values():
        if specification.specification is not None:
            merged[name] = specified_definition(name, specification)
    for name, composed in state.directives.custom.items():
        sources = {composed.definition_subgraph: composed.definition}
        merged[name] = DirectiveDefinition(
            name=name,
            locations=composed.definition.locations,
            arguments=merge_arguments(state, sources, f"@{name}"),
            repeatable=composed.definition.is_repeatable,
            description=composed.definition.description,
        )
    executable = {
        name: None
        for subgraph in state.subgraphs.values()
        for name, definition in subgraph.schema.directives.items()
        if name not in merged and _executable_locations(definition)
    }
    for name in executable:
        definition = _merge_executable(state, name)
        if definition is not None:
            merged[name] = definition
    return dict(sorted(merged.items()))


def composed_links(state: MergeState) -> tuple[LinkedSpecification, ...]:
    """The headers that the supergraph needs for what it carries, sorted by URL."""
    by_url: dict[str, tuple[str | None, dict[str, str], str | None]] = {}
    for role, (name, specification) in state.directives.by_role.items():
        if specification.specification is None:
            continue
        own, version = specification.specification
        url = f"https://specs.apollo.dev/{own}/{version}"
        purpose, imports, prefix = by_url.get(url, (specification.purpose, {}, None))
        usual = own if role == own else f"{own}__{role}"
        if name != usual:
            imports = {**imports, f"@{role}": f"@{name}"}
        by_url[url] = (purpose, imports, prefix)
    for name, composed in state.directives.custom.items():
        purpose, imports, prefix = by_url.get(composed.link.url, (None, {}, None))
        by_url[composed.link.url] = (purpose, {**imports, f"@{composed.own_name}": f"@{name}"}, prefix)
    return tuple(
        LinkedSpecification(url, purpose, prefix, dict(sorted(imports.items())))
        for url, (purpose, imports, prefix) in sorted(by_url.items())
    )


def supporting_scalars(state: MergeState) -> dict[str, ScalarType]:
    """The scalar types that composed specifications' arguments need; no subgraph has them."""
    names = {
        read_scalar: None
        for _, specification in state.directives.by_role.values()
        for _, text, _ in specification.arguments
        if (read_scalar := _own_type(specification, text)) is not None and specification.specification is not None
    }
    return {name: ScalarType(name, {}) for name in names}


def _own_type(specification: DirectiveSpecification, text: str) -> str | None:
    if "<" not in text:
        return None
    own = text[text.index("<") + 1 : text.index(">")]
    return f"{specification.specification[0] if specification.specification else 'federation'}__{own}"


def specified_definition(name: str, specification: DirectiveSpecification) -> DirectiveDefinition:
    """A specification's directive as the supergraph defines it, under the name that it has there."""
    arguments = {}
    for argument, text, default in specification.arguments:
        own = _own_type(specification, text)
        local = text.replace(text[text.index("<") : text.index(">") + 1], own) if own else text
        printed = print_ast(parse_const_value(default)) if default is not None else None
        arguments[argument] = Argument(argument, read_type_ref(local), printed)
    return DirectiveDefinition(name, specification.locations, arguments, specification.is_repeatable)


def _executable_locations(definition: SubgraphDirective) -> list[str]:
    return sorted(location for location in definition.locations if location in _EXECUTABLE)


def _merge_executable(state: MergeState, name: str) -> DirectiveDefinition | None:
    """Clients may only use what every subgraph understands."""
    found: dict[SubgraphName, SubgraphDirective | None] = {
        subgraph: valid.schema.directives.get(name) for subgraph, valid in state.subgraphs.items()
    }
    known = {subgraph: definition for subgraph, definition in found.items() if definition is not None}
    where: list[Place] = [(subgraph, definition.node) for subgraph, definition in known.items()]
    if len(known) < len(found):
        lacking = ", ".join(f'"{subgraph}"' for subgraph in found if subgraph not in known)
        message = f'the executable directive "@{name}" is missing in {lacking} and so left out of the supergraph'
        state.report.hint("INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE", message, where)
        return None
    each = [_executable_locations(definition) for definition in known.values()]
    common = [location for location in each[0] if all(location in locations for locations in each)]
    if not common:
        message = f'the executable directive "@{name}" has no location that all subgraphs allow; it is left out'
        state.report.hint("NO_EXECUTABLE_DIRECTIVE_INTERSECTION", message, where)
        return None
    if any(locations != common for locations in each):
        message = f'the executable directive "@{name}" keeps the common locations only: {", ".join(common)}'
        state.report.hint("INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS", message, where)
    repeatable = {definition.is_repeatable for definition in known.values()}
    if len(repeatable) > 1:
        message = f'the executable directive "@{name}" is not repeatable everywhere and so not in the supergraph'
        state.report.hint("INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE", message, where)
    return DirectiveDefinition(
        name=name,
        locations=tuple(common),
        arguments=merge_arguments(state, known, f"@{name}"),
        repeatable=repeatable == {True},
        description=merge_descriptions(state, known, f'the directive "@{name}"'),
    )
