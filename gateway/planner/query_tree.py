"""The query tree: for every position of the operation, what was chosen there.

A position is a place in the response where objects stand. The tree is made by positions.py and read by
fetch_graph/; equal positions share one value, so it is a DAG in memory and a tree in meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.graphql_kit.selections import FieldSelection
from gateway.query_graph.model import NodeId, QueryGraph

__all__ = ["Asked", "Need", "Provider", "TreeEntry", "TreeField", "TreePosition", "write_query_tree"]


@dataclass(frozen=True, slots=True)
class Provider:
    """A graph node that a field is asked at: through an entry of the position (its index), or at hand (None)."""

    node: NodeId
    entry: int | None


@dataclass(frozen=True, slots=True)
class TreeField:
    """A field of objects of one type, and who provides it; `child` is the position below (None for leaves)."""

    type_name: str
    name: str
    arguments: tuple[tuple[str, str], ...]
    providers: tuple[Provider, ...]
    child: TreePosition | None


@dataclass(frozen=True, slots=True)
class Need:
    """A field that an entry's representation contains: the selection as the subgraph wrote it, and the chosen field."""

    selection: FieldSelection
    field: int


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """An entity move (or the start of a root request): objects of `type_name` are entered at `node`."""

    type_name: str
    node: NodeId
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A field that the client asked for on objects of one type, and the chosen field that answers it."""

    type_name: str
    selection: FieldSelection
    field: int


@dataclass(frozen=True, slots=True)
class TreePosition:
    """One position.

    `at_hand`: the nodes that the objects come from. `typed`: whether concrete types are known there, at hand or
    through `typing`, the entry that tells them to an interface object. `types`: the concrete types planned for (one
    interface name when not typed). `requests`: the entries by request, in an order in which they can be sent.
    """

    at_hand: frozenset[NodeId]
    typed: bool
    typing: int | None
    types: tuple[str, ...]
    asked: tuple[Asked, ...]
    fields: tuple[TreeField, ...]
    entries: tuple[TreeEntry, ...]
    requests: tuple[tuple[int, ...], ...]
    cost: int
    field_count: int


def write_query_tree(position: TreePosition, graph: QueryGraph, indent: str = "") -> str:
    """The tree as indented text: entries first, then each field with its providers."""
    lines: list[str] = []
    for number, request in enumerate(position.requests):
        for index in request:
            entry = position.entries[index]
            needs = " ".join(need.selection.name for need in entry.needs)
            lines.append(f"{indent}request {number}: {entry.type_name} → {graph.nodes[entry.node]} by {{{needs}}}")
    for field in position.fields:
        providers = ", ".join(str(graph.nodes[p.node]) for p in field.providers)
        arguments = f"({', '.join(f'{n}: {v}' for n, v in field.arguments)})" if field.arguments else ""
        lines.append(f"{indent}{field.type_name}.{field.name}{arguments} ← {providers}")
        if field.child is not None:
            lines.append(write_query_tree(field.child, graph, indent + "  "))
    return "\n".join(line for line in lines if line)
