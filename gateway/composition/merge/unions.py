"""Union types: the members of all subgraphs together."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.state import MergeState
from gateway.composition.merge.type_joins import type_joins
from gateway.composition.subgraph_schema import SubgraphType
from gateway.supergraph.model import SubgraphName, UnionType

__all__ = ["merge_union"]


def merge_union(state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType]) -> UnionType:
    """The supergraph's union, each member with the subgraphs where it belongs to it."""
    members: dict[str, tuple[SubgraphName, ...]] = {}
    for member in state.members.get(name, ()):
        members[member] = tuple(s for s, definition in definitions.items() if member in definition.members)
        if len(members[member]) < len(definitions):
            lacking = ", ".join(f'"{subgraph}"' for subgraph in definitions if subgraph not in members[member])
            message = f'the union "{name}" has the member "{member}" in some subgraphs but not in {lacking}'
            state.report.hint("INCONSISTENT_UNION_MEMBER", message, [(s, d.node) for s, d in definitions.items()])
    return UnionType(
        name=name,
        members=members,
        joins=type_joins(definitions),
        description=merge_descriptions(state, definitions, f'the union "{name}"'),
        directives=merge_applications(state, definitions, name),
    )
