"""What an object that sets a context gives for a selection of it.

A selection means exactly one value for objects of one concrete type: a field, or a field of a field and so on, or the
type's own name. Lists on the way make a list of the value.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.graphql_kit.selections import FieldSelection, SelectionSet
from gateway.graphql_kit.type_refs import named_type
from gateway.query_graph.model import QueryGraph
from gateway.supergraph.model import InterfaceType, ObjectType

__all__ = ["ContextValue", "read_context_value"]


@dataclass(frozen=True, slots=True)
class ContextValue:
    """`field` with all below it, and how many response keys lead to the value; None: the name of the object's type."""

    field: FieldSelection | None
    depth: int


def read_context_value(graph: QueryGraph, type_name: str, selection: SelectionSet) -> ContextValue | None:
    """The value for objects of a type; None where the selection means none, several, or lies unequally deep."""
    depth = _depth(graph, type_name, selection)
    if depth is None:
        return None
    (field,) = graph.fields_for(selection, type_name)
    return ContextValue(None, 0) if field.name == "__typename" else ContextValue(field, depth)


def _depth(graph: QueryGraph, type_name: str, selection: SelectionSet, outer: int = 0) -> int | None:
    fields = graph.fields_for(selection, type_name)
    if len(fields) != 1:
        return None
    field = fields[0]
    if field.name == "__typename":
        return 0 if outer == 0 else None  # below, an object need not tell its type
    definition = graph.supergraph.types.get(type_name)
    if not isinstance(definition, ObjectType | InterfaceType) or field.name not in definition.fields:
        return None
    if not field.selections:
        return outer + 1
    below = named_type(definition.fields[field.name].type)
    depths = {_depth(graph, name, field.selections, outer + 1) for name in graph.possible_types(below)}
    return depths.pop() if len(depths) == 1 else None
