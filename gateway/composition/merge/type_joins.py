"""What every kind of type has in common when merged: provenance, description, directives, a base somewhere."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.merge.state import MergeState
from gateway.composition.subgraph_schema import SubgraphType
from gateway.graphql_kit.field_set_text import FieldSetInvalid, canonical_field_set
from gateway.supergraph.model import EntityKey, SubgraphName, TypeJoin

__all__ = ["check_base", "type_joins"]


def type_joins(definitions: Mapping[SubgraphName, SubgraphType]) -> dict[SubgraphName, TypeJoin]:
    """One join per subgraph that has the type."""
    joins: dict[SubgraphName, TypeJoin] = {}
    for subgraph, definition in definitions.items():
        keys = definition.using("key")
        joins[subgraph] = TypeJoin(
            subgraph=subgraph,
            keys=tuple(EntityKey(_canonical(key.text("fields") or ""), not key.is_false("resolvable")) for key in keys),
            extension=bool(keys) and (definition.has("extends") or all(key.extension > 0 for key in keys)),
            is_interface_object=definition.is_interface_object,
            interfaces=definition.interfaces,
        )
    return joins


def _canonical(text: str) -> str:
    try:
        return canonical_field_set(text)
    except FieldSetInvalid:  # reported by the rules already
        return text


def check_base(state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType]) -> None:
    """A type that is only ever extended is defined nowhere; root types need no definition."""
    extending = {s: d for s, d in definitions.items() if d.is_extended}
    if extending and not any(definition.is_defined for definition in definitions.values()):
        if name in ("Query", "Mutation", "Subscription"):
            return
        for subgraph, definition in extending.items():
            message = f'"{name}" is extended in "{subgraph}" but no subgraph defines it'
            state.report.error("EXTENSION_WITH_NO_BASE", message, [(subgraph, definition.node)])
