"""Fields that interface objects add: every implementation has them too, found through the interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.composition.merge.access_control import inherited_protection
from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.overrides import Overrides
from gateway.composition.merge.sharing import check_sharing
from gateway.composition.merge.state import MergeState
from gateway.composition.subgraph_schema import SubgraphField
from gateway.supergraph.model import (
    DirectiveApplication,
    Field,
    InterfaceType,
    ObjectType,
    SubgraphName,
    TypeDefinition,
)

__all__ = ["add_interface_object_fields"]

_PROTECTION = ("authenticated", "requiresScopes", "policy")


def add_interface_object_fields(state: MergeState, types: Mapping[str, TypeDefinition]) -> dict[str, TypeDefinition]:
    """The types, with every missing field of an interface that an interface object resolves."""
    if not state.interface_objects:
        return dict(types)
    return {
        name: _completed(state, definition, types) if isinstance(definition, ObjectType) else definition
        for name, definition in types.items()
    }


def _completed(state: MergeState, definition: ObjectType, types: Mapping[str, TypeDefinition]) -> ObjectType:
    added: dict[str, Field] = {}
    for interface_name in definition.interfaces:
        interface = types.get(interface_name)
        objects = state.interface_objects.get(interface_name, {})
        if not objects or not isinstance(interface, InterfaceType):
            continue
        for field in interface.fields.values():
            if field.name in definition.fields or field.name in added:
                continue
            own = {subgraph: d.fields.get(field.name) for subgraph, d in objects.items()}
            if any(f is not None and not state.is_external(subgraph, f) for subgraph, f in own.items()):
                added[field.name] = replace(field, joins={}, directives=_directives(state, definition.name, field))
                nobody: dict[SubgraphName, SubgraphField | None] = dict.fromkeys(state.subgraphs)
                check_sharing(state, nobody, definition.name, field.name, Overrides())
    return replace(definition, fields={**definition.fields, **added}) if added else definition


def _directives(state: MergeState, type_name: str, field: Field) -> tuple[DirectiveApplication, ...]:
    protecting = {state.directives.by_role[role][0] for role in _PROTECTION if role in state.directives.by_role}
    kept = tuple(directive for directive in field.directives if directive.name not in protecting)
    inherited = inherited_protection(state, type_name, field.name)
    return (*kept, *merge_applications(state, {}, f"{type_name}.{field.name}", inherited))
