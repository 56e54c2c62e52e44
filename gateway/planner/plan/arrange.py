"""The plan's DAG in the nested form that people know: in a row, side by side, under a condition.

Only for printing: steps are put in rows by depth, so a step can stand behind one that it does not wait for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from gateway.graphql_kit.selections import Condition
from gateway.planner.plan.nodes import FetchStep, QueryPlan

__all__ = ["Arranged", "ConditionNode", "ParallelNode", "SequenceNode", "arrange"]


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """One after the other."""

    nodes: tuple[Arranged, ...]


@dataclass(frozen=True, slots=True)
class ParallelNode:
    """Side by side."""

    nodes: tuple[Arranged, ...]


@dataclass(frozen=True, slots=True)
class ConditionNode:
    """Only when the condition holds."""

    condition: Condition
    node: Arranged


Arranged: TypeAlias = SequenceNode | ParallelNode | ConditionNode | FetchStep


def arrange(plan: QueryPlan) -> Arranged | None:
    """The nested form; None for a plan without steps."""
    depth_of: dict[int, int] = {}
    rows: dict[int, list[Arranged]] = {}
    for step in plan.steps:
        depth = 1 + max((depth_of[parent] for parent in step.depends_on), default=-1)
        depth_of[step.id] = depth
        rows.setdefault(depth, []).append(_conditional(step))
    nodes = [row[0] if len(row) == 1 else ParallelNode(tuple(row)) for _, row in sorted(rows.items())]
    if not nodes:
        return None
    return nodes[0] if len(nodes) == 1 else SequenceNode(tuple(nodes))


def _conditional(step: FetchStep) -> Arranged:
    node: Arranged = step
    for condition in reversed(step.condition):
        node = ConditionNode(condition, node)
    return node
