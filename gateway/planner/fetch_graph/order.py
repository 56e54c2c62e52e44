"""The passes in their order, run to a fixed point."""

from __future__ import annotations

from collections.abc import Callable

from gateway.errors import InternalError
from gateway.planner.fetch_graph.model import FetchGraph
from gateway.planner.fetch_graph.passes.batch_requests import batch_requests
from gateway.planner.fetch_graph.passes.drop_direct_ancestors import drop_direct_ancestors
from gateway.planner.fetch_graph.passes.unite_inputs import unite_inputs

__all__ = ["PASSES", "improve"]

PASSES: tuple[Callable[[FetchGraph], bool], ...] = (
    batch_requests,
    unite_inputs,
    drop_direct_ancestors,
)

_MAX_ROUNDS = 100
"""Each round that changes something removes a step, an input or an edge; no real plan needs more than a few rounds."""


def improve(graph: FetchGraph) -> None:
    """Run all passes until none changes the graph."""
    for _ in range(_MAX_ROUNDS):
        if not any(run(graph) for run in PASSES):
            return
    raise InternalError(f"the passes over a fetch graph of {len(graph.steps)} steps did not come to an end")
