"""Why a subgraph can't answer a field at a place: one sentence per subgraph that knows the field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.graphql_kit.selections import write_selection_set
from gateway.query_graph.model import GraphNode, NodeId, QueryGraph
from gateway.query_graph.reach import Reach, Reachability
from gateway.supergraph.model import Field, InterfaceType, ObjectType

__all__ = ["explain"]


def explain(
    graph: QueryGraph, reachability: Reachability, type_name: str, field: Field, nodes: frozenset[NodeId]
) -> list[str]:
    """A sentence for each subgraph that declares the field, or may resolve it for an interface."""
    here = sorted({graph.nodes[node_id].subgraph for node_id in nodes})
    place = f"from {_subgraphs(here)}" if here else "from the root"
    found: list[str] = []
    for subgraph, join in field.joins.items():
        if join.external:
            found.append(f"subgraph '{subgraph}' declares it @external: it does not resolve it here")
        elif join.used_overridden:
            found.append(f"subgraph '{subgraph}' has it overridden by another subgraph")
    reach = reachability.at(type_name, nodes)
    found += [_why_not(graph, reach, node, field.name, place) for node in _providers(graph, type_name, field.name)]
    return found or [f"no subgraph resolves it {place}"]


def _providers(graph: QueryGraph, type_name: str, field_name: str) -> Iterator[GraphNode]:
    names = (type_name, *graph.interfaces_of(type_name))
    for node in graph.nodes:
        if node.view or field_name not in node.fields or node.type_name not in names:
            continue
        if node.type_name == type_name or node.kind.value == "interface object":
            yield node


def _why_not(graph: QueryGraph, reach: Reach, node: GraphNode, field_name: str, place: str) -> str:
    filled = node.fields[field_name].context_arguments
    if filled and node.id in reach.contextual.get(field_name, ()):
        argument = filled[0]
        return (
            f"subgraph '{node.subgraph}' fills {argument.name} from the context {argument.context}, of which "
            f"no object on this way gives {write_selection_set(argument.selection)}"
        )
    if node.id in reach.entered:
        missing = write_selection_set(node.fields[field_name].requires)
        return f"subgraph '{node.subgraph}' requires {missing}, which can't all be had {place}"
    if node.keys:
        keys = " or ".join(write_selection_set(key) for key in node.keys)
        return f"{place}, subgraph '{node.subgraph}' can't be entered: its key {keys} can't be had there"
    declared = _declares_key(graph, node)
    why = "its keys are not resolvable" if declared else "it has no @key there"
    return f"{place}, subgraph '{node.subgraph}' can't be entered: {why} on {node.type_name}"


def _declares_key(graph: QueryGraph, node: GraphNode) -> bool:
    definition = graph.supergraph.types[node.type_name]
    if not isinstance(definition, ObjectType | InterfaceType):
        return False
    join = definition.joins.get(node.subgraph)
    return bool(join and join.keys)


def _subgraphs(names: Sequence[str]) -> str:
    return ("subgraph " if len(names) == 1 else "subgraphs ") + ", ".join(f"'{name}'" for name in names)
