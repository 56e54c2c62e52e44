"""The canonical form of one operation."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.graphql_kit.selections import SelectionSet, write_selection_set
from gateway.planner.plan.nodes import OperationKind

__all__ = ["NormalizedOperation", "VariableDefinition", "write_operation"]


@dataclass(frozen=True, slots=True)
class VariableDefinition:
    """`$name: type = default`, type and default in GraphQL notation."""

    name: str
    type: str
    default: str | None = None

    def __str__(self) -> str:
        """As in a document."""
        return f"${self.name}: {self.type}" + ("" if self.default is None else f" = {self.default}")


@dataclass(frozen=True, slots=True)
class NormalizedOperation:
    """One operation after all passes.

    `selections` holds only fields and inline fragments, where
    - conditions stand on fields alone (a fragment's are on each of its fields), literal ones are folded away;
    - a fragment's type condition is a proper narrowing of the type around it;
    - within one selection set no two fields have the same response key *and* comparable conditions. Fields with
      the same key, fields inside fragments included, still have to be merged by whoever reads objects of a concrete
      type;
    - a field of composite type with empty `selections` was emptied by folding: its value is `{}`.
    Fields and fragments are in order of first appearance, which is the order of keys in the answer.
    """

    kind: OperationKind
    name: str | None
    root_type: str
    variables: tuple[VariableDefinition, ...]
    selections: SelectionSet


def write_operation(operation: NormalizedOperation) -> str:
    """The operation as a document on one line."""
    variables = f"({', '.join(str(v) for v in operation.variables)})" if operation.variables else ""
    head = f"{operation.kind} {operation.name or ''}".rstrip()
    body = write_selection_set(operation.selections) if operation.selections else "{ }"
    return f"{head}{variables} {body}"
