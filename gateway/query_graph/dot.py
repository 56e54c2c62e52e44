"""The query graph as Graphviz text: one cluster per subgraph, one arrow per move."""

from __future__ import annotations

from gateway.graphql_kit.selections import SelectionSet, write_selection_set
from gateway.graphql_kit.type_refs import write_type_ref
from gateway.query_graph.model import GraphNode, QueryGraph

__all__ = ["write_dot"]


def write_dot(graph: QueryGraph) -> str:
    """A `digraph`; leaves are lines inside their node, entity moves are dashed and carry the key that they need."""
    lines = ["digraph query_graph {", "  rankdir=LR; node [shape=box fontname=monospace];"]
    by_subgraph: dict[str, list[GraphNode]] = {}
    for node in graph.nodes:
        by_subgraph.setdefault(node.subgraph, []).append(node)
    for number, (subgraph, nodes) in enumerate(sorted(by_subgraph.items())):
        lines.append(f"  subgraph cluster_{number} {{ label={_quote(subgraph)};")
        lines += [f"    n{node.id} [label={_quote(_label(node))}];" for node in nodes]
        lines.append("  }")
    for node in graph.nodes:
        lines += _moves(graph, node)
    return "\n".join([*lines, "}"]) + "\n"


def _label(node: GraphNode) -> str:
    head = f"{node.type_name} ({node.kind.value})" + (f" provided {_set(node.view)}" if node.view else "")
    leaves = [
        f"{move.field_name}: {write_type_ref(move.type)}"
        + (f" requires {_set(move.requires)}" if move.requires else "")
        for move in node.fields.values()
        if move.target is None
    ]
    return "\n".join([head, *leaves])


def _moves(graph: QueryGraph, node: GraphNode) -> list[str]:
    lines = []
    for move in node.fields.values():
        if move.target is not None:
            label = move.field_name + (f" requires {_set(move.requires)}" if move.requires else "")
            lines.append(f"  n{node.id} -> n{move.target} [label={_quote(label)}];")
    for type_name, member in node.members.items():
        lines.append(f"  n{node.id} -> n{member} [label={_quote('... on ' + type_name)} style=dotted];")
    for other in graph.nodes:
        if (
            other.type_name == node.type_name
            and other.subgraph != node.subgraph
            and not node.is_root
            and not other.view
        ):
            lines += [f"  n{node.id} -> n{other.id} [label={_quote(_set(key))} style=dashed];" for key in other.keys]
    return lines


def _set(selections: SelectionSet) -> str:
    return write_selection_set(selections)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\l")
    return f'"{escaped}"'
