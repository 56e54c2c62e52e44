"""Interface types, and the object types that stand for them elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.field_sets import possible_objects
from gateway.composition.merge.access_control import type_protection
from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.fields import field_sources, merge_field
from gateway.composition.merge.objects import hint_on_missing_fields
from gateway.composition.merge.state import MergeState
from gateway.composition.merge.type_joins import type_joins
from gateway.composition.subgraph_schema import SubgraphType, TypeKind
from gateway.supergraph.model import Field, InterfaceType, SubgraphName

__all__ = ["merge_interface"]


def merge_interface(state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType]) -> InterfaceType:
    """The supergraph's interface."""
    implementations = state.possible_types(name)
    _check_keys(state, name, definitions, implementations)
    _check_interface_objects(state, name, definitions, implementations)
    interfaces = state.interfaces.get(name, ())
    is_value_type = not any(d.has("key") for d in definitions.values() if d.kind is TypeKind.INTERFACE)
    fields: dict[str, Field] = {}
    for field_name, sources in field_sources(state, definitions, interfaces).items():
        if is_value_type:
            hint_on_missing_fields(state, name, field_name, definitions, "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD")
        field, _ = merge_field(state, name, field_name, sources)
        if field is not None:
            fields[field_name] = field
    return InterfaceType(
        name=name,
        fields=fields,
        interfaces=interfaces,
        possible_types=tuple(implementations),
        joins=type_joins(definitions),
        description=merge_descriptions(state, definitions, f'the interface "{name}"'),
        directives=merge_applications(state, definitions, name, type_protection(state, name)),
    )


def _check_keys(
    state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType], implementations: list[str]
) -> None:
    """Whoever resolves the interface by key must be able to say which implementation it is."""
    for subgraph, definition in definitions.items():
        key = next((k for k in definition.using("key") if not k.is_false("resolvable")), None)
        if key is None or definition.kind is not TypeKind.INTERFACE:
            continue
        known = possible_objects(state.subgraphs[subgraph].schema, definition)
        missing = [implementation for implementation in implementations if implementation not in known]
        if missing:
            names = ", ".join(f'"{implementation}"' for implementation in missing)
            message = f'"{name}" has a resolvable @key in "{subgraph}", so that subgraph must also define {names}'
            state.report.error("INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE", message, [(subgraph, key.node)])


def _check_interface_objects(
    state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType], implementations: list[str]
) -> None:
    for subgraph, definition in definitions.items():
        if not definition.is_interface_object:
            continue
        types = state.subgraphs[subgraph].schema.types
        defined = [types[implementation] for implementation in implementations if implementation in types]
        if defined:
            names = ", ".join(f'"{implementation.name}"' for implementation in defined)
            message = f'"{name}" is an @interfaceObject in "{subgraph}", which therefore cannot define {names}'
            where = [(subgraph, definition.node), *((subgraph, implementation.node) for implementation in defined)]
            state.report.error("INTERFACE_OBJECT_USAGE_ERROR", message, where)
