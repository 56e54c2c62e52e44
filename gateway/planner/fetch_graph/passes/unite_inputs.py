"""Pass: inputs of one step for the very same objects become one input."""

from __future__ import annotations

from gateway.planner.fetch_graph.build import merge_shapes
from gateway.planner.fetch_graph.model import DraftInput, DraftShape, FetchGraph

__all__ = ["unite_inputs"]


def unite_inputs(graph: FetchGraph) -> bool:
    """Before and after: the same fields asked of the same objects."""
    changed = False
    for step in graph.steps.values():
        kept: list[DraftInput] = []
        for item in step.inputs:
            for have in kept:
                if _unite(have, item):
                    changed = True
                    break
            else:
                kept.append(item)
        step.inputs = kept
    return changed


def _unite(have: DraftInput, other: DraftInput) -> bool:
    if have.path != other.path or have.needs_type != other.needs_type:
        return False
    if have.selection.keys() != other.selection.keys() and not have.needs_type:
        return False
    if have.shapes.keys() != other.shapes.keys() and have.selection.keys() & other.selection.keys():
        return False  # an interface object, asked different things for different types
    for type_name in have.shapes.keys() & other.shapes.keys():
        if have.shapes[type_name][0] != other.shapes[type_name][0]:
            return False
        if _clash(have.shapes[type_name][1] + other.shapes[type_name][1]):
            return False
    have.holders = (*have.holders, *(new for new in other.holders if all(new is not known for known in have.holders)))
    for type_name, (sent, fields) in other.shapes.items():
        mine = have.shapes.get(type_name)
        have.shapes[type_name] = (sent, merge_shapes((mine[1] if mine else ()) + fields))
    for node, selection in other.selection.items():
        if node in have.selection:
            have.selection[node].absorb(selection)
        else:
            have.selection[node] = selection
    return True


def _clash(fields: tuple[DraftShape, ...]) -> bool:
    """Whether one name would have to be read from two keys."""
    sources: dict[str, tuple[str, tuple[DraftShape, ...]]] = {}
    for item in fields:
        have = sources.setdefault(item.name, (item.source_key, ()))
        if have[0] != item.source_key:
            return True
        sources[item.name] = (have[0], have[1] + item.fields)
    return any(_clash(nested) for _, nested in sources.values() if nested)
