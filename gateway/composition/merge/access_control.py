"""Protection that an element inherits: through interfaces from their implementations, and from interface objects."""

from __future__ import annotations

from gateway.composition.merge.state import MergeState
from gateway.composition.subgraph_schema import DirectiveUse, TypeKind
from gateway.supergraph.model import SubgraphName

__all__ = ["inherited_protection", "type_protection"]

_ROLES = ("authenticated", "requiresScopes", "policy")


def inherited_protection(state: MergeState, type_name: str, field_name: str) -> list[tuple[SubgraphName, DirectiveUse]]:
    """For an interface's field: what protects any implementation's. For an object's: what interface objects say."""
    if not any(role in state.directives.by_role for role in _ROLES):
        return []
    kind = state.kinds.get(type_name)
    others = state.possible_types(type_name) if kind is TypeKind.INTERFACE else state.interfaces.get(type_name, ())
    found: list[tuple[SubgraphName, DirectiveUse]] = []
    for other in others:
        for name, subgraph in state.subgraphs.items():
            definition = subgraph.schema.types.get(other)
            field = definition.fields.get(field_name) if definition is not None else None
            if definition is None or field is None or definition.kind is not TypeKind.OBJECT:
                continue
            if not subgraph.facts.is_external(field):
                found += [(name, use) for use in field.uses if use.role in _ROLES]
    return found


def type_protection(state: MergeState, interface: str) -> list[tuple[SubgraphName, DirectiveUse]]:
    """What protects any of an interface's implementations protects the interface."""
    if not any(role in state.directives.by_role for role in _ROLES):
        return []
    return [
        (name, use)
        for implementation in state.possible_types(interface)
        for name, subgraph in state.subgraphs.items()
        if (definition := subgraph.schema.types.get(implementation)) is not None
        for use in definition.uses
        if use.role in _ROLES
    ]
