"""Valid subgraphs → merged supergraph: this file is the order of the work."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.composed_directives import find_composed_directives
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.directive_definitions import (
    composed_links,
    merge_directive_definitions,
    supporting_scalars,
)
from gateway.composition.merge.enums import merge_enum
from gateway.composition.merge.inputs import merge_input
from gateway.composition.merge.interface_object_fields import add_interface_object_fields
from gateway.composition.merge.interfaces import merge_interface
from gateway.composition.merge.objects import merge_object
from gateway.composition.merge.scalars import merge_scalar
from gateway.composition.merge.state import MergeState
from gateway.composition.merge.type_joins import check_base
from gateway.composition.merge.unions import merge_union
from gateway.composition.report import Report
from gateway.composition.stages import MergedSupergraph, ValidSubgraph
from gateway.composition.subgraph_schema import Element, SubgraphType, TypeKind
from gateway.supergraph.model import ObjectType, Subgraph, SubgraphName, Supergraph, TypeDefinition

__all__ = ["merge"]

Definitions = dict[str, dict[SubgraphName, SubgraphType]]

_MERGERS: dict[TypeKind, Callable[[MergeState, str, Mapping[SubgraphName, SubgraphType]], TypeDefinition]] = {
    TypeKind.OBJECT: merge_object,
    TypeKind.INTERFACE: merge_interface,
    TypeKind.UNION: merge_union,
    TypeKind.SCALAR: merge_scalar,
    TypeKind.INPUT: merge_input,
    TypeKind.ENUM: merge_enum,
}
# Enums go last, when it is known where they are used.
_ORDER = (TypeKind.UNION, TypeKind.SCALAR, TypeKind.INPUT, TypeKind.INTERFACE, TypeKind.OBJECT)


def merge(subgraphs: Sequence[ValidSubgraph], report: Report) -> MergedSupergraph | None:
    """The merged supergraph, or None where the subgraphs cannot even be laid side by side; problems are reported."""
    by_name = {valid.schema.name: valid for valid in subgraphs}
    directives = find_composed_directives(by_name, report)
    if report.has_errors():
        return None
    graphs = _graph_enums(list(by_name))
    state = MergeState(by_name, report, directives, graphs)
    definitions = _collect_types(state)
    _learn_relations(state, definitions)
    types: dict[str, TypeDefinition] = {}
    for kind in _ORDER:
        types |= _merge_kind(state, definitions, kind)
    directive_definitions = merge_directive_definitions(state)
    types |= _merge_kind(state, definitions, TypeKind.ENUM)
    types = add_interface_object_fields(state, types)
    types = {name: t for name, t in types.items() if not (isinstance(t, ObjectType) and not t.fields)}
    if "Query" not in types:
        report.error("NO_QUERIES", "no subgraph has a query: at least one must define the type Query with a field")
    schemas = {name: Element("schema", s.schema.description, s.schema.uses) for name, s in by_name.items()}
    supergraph = Supergraph(
        subgraphs={name: Subgraph(name, graphs[name], valid.schema.url) for name, valid in by_name.items()},
        types=dict(sorted({**types, **supporting_scalars(state)}.items())),
        query_type="Query",
        mutation_type="Mutation" if "Mutation" in types else None,
        subscription_type="Subscription" if "Subscription" in types else None,
        directive_definitions=directive_definitions,
        links=composed_links(state),
        description=merge_descriptions(state, schemas, "the schema"),
        schema_directives=merge_applications(state, schemas, "schema"),
    )
    return MergedSupergraph(supergraph, by_name)


def _graph_enums(names: Sequence[SubgraphName]) -> dict[SubgraphName, str]:
    """A `join__Graph` value for each name; equal ones are numbered."""
    values: dict[str, list[SubgraphName]] = {}
    for name in names:
        value = re.sub(r"\W", "_", name, flags=re.ASCII)
        value = f"_{value}" if value[:1].isdigit() else value
        # So that the numbers below cannot make two names equal
        value = f"{value}_" if re.search(r"_\d+$", value) else value
        values.setdefault(value.upper(), []).append(name)
    return {
        name: value if len(group) == 1 else f"{value}_{number}"
        for value, group in values.items()
        for number, name in enumerate(group, start=1)
    }


def _collect_types(state: MergeState) -> Definitions:
    """Type name → its definition in each subgraph; a type that changes its kind is reported."""
    definitions: Definitions = {}
    for name, valid in state.subgraphs.items():
        for definition in valid.schema.types.values():
            definitions.setdefault(definition.name, {})[name] = definition
    for type_name, found in definitions.items():
        kinds = {definition.merged_kind for definition in found.values()}
        where = [(subgraph, definition.node) for subgraph, definition in found.items()]
        state.kinds[type_name] = next(iter(found.values())).merged_kind
        if len(kinds) > 1:
            said = ", ".join(f'{_kind_text(definition)} in "{subgraph}"' for subgraph, definition in found.items())
            message = f'"{type_name}" is not of one kind: {said}'
            state.report.error("TYPE_KIND_MISMATCH", message, where)
        elif all(definition.is_interface_object for definition in found.values()):
            message = f'"{type_name}" is an @interfaceObject in every subgraph that has it: none defines the interface'
            state.report.error("INTERFACE_OBJECT_USAGE_ERROR", message, where)
    return {
        type_name: {s: d for s, d in found.items() if d.merged_kind is state.kinds[type_name]}
        for type_name, found in definitions.items()
    }


def _kind_text(definition: SubgraphType) -> str:
    return "interface object" if definition.is_interface_object else definition.kind.value


def _learn_relations(state: MergeState, definitions: Definitions) -> None:
    """Who implements what and which union has which members: needed before any field's type can be merged."""
    for name, found in definitions.items():
        interfaces = dict.fromkeys(i for definition in found.values() for i in definition.interfaces)
        if interfaces:
            state.interfaces[name] = tuple(interfaces)
        for interface in interfaces if state.kinds[name] is TypeKind.OBJECT else ():
            state.implementations.setdefault(interface, []).append(name)
        if state.kinds[name] is TypeKind.UNION:
            state.members[name] = tuple(dict.fromkeys(m for definition in found.values() for m in definition.members))
        objects = {s: definition for s, definition in found.items() if definition.is_interface_object}
        if objects:
            state.interface_objects[name] = objects
    for names in state.implementations.values():
        names.sort()


def _merge_kind(
    state: MergeState, definitions: Mapping[str, Mapping[SubgraphName, SubgraphType]], kind: TypeKind
) -> dict[str, TypeDefinition]:
    merged: dict[str, TypeDefinition] = {}
    for name, found in definitions.items():
        if state.kinds[name] is kind:
            check_base(state, name, found)
            merged[name] = _MERGERS[kind](state, name, found)
    return merged
