"""Pass: entity requests to one subgraph that can be sent together are sent together.

Two steps can when neither leans on the other, they depend on the same conditions, and waiting for each other does
not make the longest row of steps longer: both are as deep, or what leans on the earlier one has time to wait.
"""

from __future__ import annotations

from itertools import combinations

from gateway.planner.fetch_graph.model import DraftStep, FetchGraph, depths

__all__ = ["batch_requests"]


def batch_requests(graph: FetchGraph) -> bool:
    """Before and after: the same inputs with the same selections, no step deeper than the deepest before."""
    changed = False
    by_subgraph: dict[str, list[DraftStep]] = {}
    for step in graph.steps.values():
        if step.inputs:
            by_subgraph.setdefault(step.subgraph, []).append(step)
    depth_of = depths(graph)
    for subgraph in sorted(by_subgraph):
        steps = sorted(by_subgraph[subgraph], key=lambda step: (depth_of[step.id], step.id))
        gone: set[int] = set()
        for first, second in combinations(steps, 2):
            if first.id in gone or second.id in gone or first.condition() != second.condition():
                continue
            if first.id in graph.ancestors(second.id) or second.id in graph.ancestors(first.id):
                continue
            limit = max(depth_of.values())
            if depth_of[first.id] != depth_of[second.id] and _depth_when_together(graph, first, second) > limit:
                continue
            first.inputs.extend(second.inputs)
            graph.replace(second.id, first.id)
            gone.add(second.id)
            depth_of = depths(graph)
            changed = True
    return changed


def _depth_when_together(graph: FetchGraph, first: DraftStep, second: DraftStep) -> int:
    """How deep the graph would be if the two were one step."""
    trial = FetchGraph()
    for step in graph.steps.values():
        parents = {first.id if parent == second.id else parent for parent in step.parents}
        if step.id == first.id:
            parents |= second.parents
        trial.steps[step.id] = DraftStep(step.id, step.subgraph, step.kind, parents - {step.id})
    del trial.steps[second.id]
    return max(depths(trial).values())
