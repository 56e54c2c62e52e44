"""Object types."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.fields import field_sources, merge_field
from gateway.composition.merge.sharing import check_sharing, check_subscription_sharing
from gateway.composition.merge.state import MergeState
from gateway.composition.merge.type_joins import type_joins
from gateway.composition.subgraph_schema import SubgraphType
from gateway.supergraph.model import Field, ObjectType, SubgraphName, TypeJoin

__all__ = ["hint_on_missing_fields", "merge_object"]

_ROOTS = ("Query", "Mutation", "Subscription")


def merge_object(state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType]) -> ObjectType:
    """The supergraph's object type; a root type may end up without fields."""
    _hint_on_inconsistent_entity(state, name, definitions)
    is_value_type = name not in _ROOTS and not any(d.has("key") for d in definitions.values())
    interfaces = state.interfaces.get(name, ())
    fields: dict[str, Field] = {}
    for field_name, sources in field_sources(state, definitions, interfaces).items():
        if is_value_type:
            hint_on_missing_fields(state, name, field_name, definitions, "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD")
        if name == "Subscription":
            check_subscription_sharing(state, sources, f"{name}.{field_name}")
        field, overrides = merge_field(state, name, field_name, sources)
        check_sharing(state, sources, name, field_name, overrides)
        if field is not None:
            fields[field_name] = field
    return ObjectType(
        name=name,
        fields=fields,
        interfaces=interfaces,
        joins=_everywhere(state, type_joins(definitions)) if name == "Query" else type_joins(definitions),
        description=merge_descriptions(state, definitions, f'the type "{name}"'),
        directives=merge_applications(state, definitions, name),
    )


def _everywhere(state: MergeState, joins: dict[SubgraphName, TypeJoin]) -> dict[SubgraphName, TypeJoin]:
    """Every subgraph has a query root, if only for entities: any of them can be entered there."""
    return {name: joins.get(name, TypeJoin(name)) for name in state.subgraphs}


def _hint_on_inconsistent_entity(
    state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType]
) -> None:
    without = {s: d for s, d in definitions.items() if not d.has("key")}
    if without and len(without) < len(definitions):
        names = ", ".join(f'"{subgraph}"' for subgraph in without)
        message = f'"{name}" has a @key in some subgraphs but not in {names}'
        state.report.hint("INCONSISTENT_ENTITY", message, [(s, d.node) for s, d in definitions.items()])


def hint_on_missing_fields(
    state: MergeState, name: str, field_name: str, definitions: Mapping[SubgraphName, SubgraphType], code: str
) -> None:
    """A value type's field that some subgraphs lack; those that declare nothing but externals do not count."""
    lacking = [
        subgraph
        for subgraph, definition in definitions.items()
        if field_name not in definition.fields
        and not all(state.is_external(subgraph, field) for field in definition.fields.values())
    ]
    if lacking:
        names = ", ".join(f'"{subgraph}"' for subgraph in lacking)
        message = f'"{name}.{field_name}" is missing in {names}, where "{name}" is defined too'
        state.report.hint(code, message, [(s, d.node) for s, d in definitions.items()])
