"""The fetch graph as text, for people: one line per step with what it waits for, and what it selects below."""

from __future__ import annotations

from gateway.graphql_kit.paths import write_flatten_path
from gateway.planner.fetch_graph.model import DraftSelection, DraftStep, FetchGraph, depths, flatten_path
from gateway.query_graph.model import QueryGraph

__all__ = ["write_fetch_graph"]


def write_fetch_graph(fetch_graph: FetchGraph, graph: QueryGraph) -> str:
    """Steps by depth; under each its inputs with their paths and the fields per type."""
    depth_of = depths(fetch_graph)
    lines: list[str] = []
    for step in sorted(fetch_graph.steps.values(), key=lambda each: (depth_of[each.id], each.id)):
        after = f" after {sorted(step.parents)}" if step.parents else ""
        condition = " ".join(str(each) for each in sorted(step.condition()))
        lines.append(f"step {step.id}: {step.subgraph}{after} {condition}".rstrip())
        lines += _step(step, graph)
    return "\n".join(lines) + "\n"


def _step(step: DraftStep, graph: QueryGraph) -> list[str]:
    lines: list[str] = []
    if step.root is not None:
        lines += _selection(step.root, graph, "  ")
    for item in step.inputs:
        lines.append(f"  at {write_flatten_path(flatten_path(item.path))}")
        for type_name, (sent, fields) in item.shapes.items():
            lines.append(f"    {type_name} as {sent} {{{' '.join(field.name for field in fields)}}}")
        for selection in item.selection.values():
            lines += _selection(selection, graph, "    ")
    return lines


def _selection(selection: DraftSelection, graph: QueryGraph, indent: str) -> list[str]:
    lines = [f"{indent}{graph.nodes[selection.node]}" + (" __typename" if selection.wants_typename else "")]
    for type_name, field in selection.all_fields():
        conditions = "".join(f" {each}" for each in sorted(field.conditions or ()))
        lines.append(f"{indent}  {type_name}.{field.name} as {field.key}{conditions}")
        if field.child is not None:
            lines += _selection(field.child, graph, indent + "    ")
    return lines
