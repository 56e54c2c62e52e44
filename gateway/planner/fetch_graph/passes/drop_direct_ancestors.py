"""Pass: an edge that a longer way implies is dropped, so that printed plans show what really waits for what."""

from __future__ import annotations

from gateway.planner.fetch_graph.model import FetchGraph

__all__ = ["drop_direct_ancestors"]


def drop_direct_ancestors(graph: FetchGraph) -> bool:
    """Before and after: the same steps come before each step."""
    above = {step_id: graph.ancestors(step_id) for step_id in graph.steps}
    changed = False
    for step in graph.steps.values():
        implied = {parent for parent in step.parents if any(parent in above[other] for other in step.parents)}
        if implied:
            step.parents -= implied
            changed = True
    return changed
