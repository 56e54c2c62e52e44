"""The query plan: what the executor runs.

Shape: a DAG of fetch steps. `steps[i].id == i`, and every step comes after all that it depends on. A step may start
when every step in `depends_on` is done (or was left out by its condition); nothing else orders them. Mutations: the
root steps depend on each other in the order of the client's root fields.

The response tree that the steps build together, object by object:
- Keys are the client's response keys. Where a step had to ask under an internal alias (`_m_0`, never one of the
  client's), either an output rewrite gives it the client's name at once, or it stays in the tree for a representation
  that names it; projection never looks at keys that it did not ask for.
- `__typename` is in every object at a position whose type in the API schema is abstract (interface or union) and is
  always the name of a concrete object type, with one exception: an object that came from an interface object has none
  when nothing that was asked or planned depends on its type. At positions of an object type `__typename` may be
  absent: the API schema knows it.
- A subgraph may return more than was asked at a position (keys, required fields); projection leaves it out.

Not in the plan: `__schema`, `__type` and `__typename` at the root (the executor answers them), and anything that
depends on the values of variables: `@skip`/`@include` appear as conditions of steps and as directives in operation
texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

from gateway.graphql_kit.paths import FlattenPath
from gateway.graphql_kit.selections import Condition
from gateway.supergraph.model import SubgraphName

__all__ = [
    "Condition",
    "ContextValue",
    "EntityInput",
    "EntityStep",
    "FetchStep",
    "OperationKind",
    "OutputRewrite",
    "PlanVerdict",
    "QueryPlan",
    "RepresentationField",
    "RepresentationShape",
    "RootStep",
]


OperationKind: TypeAlias = Literal["query", "mutation", "subscription"]


class PlanVerdict(Enum):
    """How good the plan is known to be."""

    OPTIMAL = "optimal"
    BUDGET_REACHED = "budget reached"


@dataclass(frozen=True, slots=True)
class RepresentationField:
    """One field of a representation.

    Read `source_key` of the object in the response tree, write it as `name`. With `fields`, the value is an object
    (or nested lists of objects) of which only these are taken, recursively; without, it is copied as it is.
    `type_names`: taken only when the object that holds the field has one of these `__typename`s (None: always). A
    source key that is missing makes the representation unavailable (the object is skipped); a null value is sent as
    null.
    """

    name: str
    source_key: str
    fields: tuple[RepresentationField, ...] = ()
    type_names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class RepresentationShape:
    """How objects of certain concrete types become representations.

    `type_names`: the `__typename`s this shape is for, sorted; None: every object at the path (positions of one
    object type, and objects of an interface object, need no `__typename`). `sent_typename` is what the subgraph gets
    as `__typename`: the concrete type, or the interface's name where the subgraph has an interface object; None: the
    object's own `__typename`. `fields` never contains the outermost `__typename`.
    """

    type_names: tuple[str, ...] | None
    sent_typename: str | None
    fields: tuple[RepresentationField, ...]


@dataclass(frozen=True, slots=True)
class OutputRewrite:
    """In a step's result, rename `source_key` to `response_key` in every object at `path`.

    `path` is relative to the step's `data` (root step) or to each entity (entity step). Rewrites are listed
    innermost first, so that applying them in order never changes a path that is still to be walked. An object
    without the source key is left alone.
    """

    path: FlattenPath
    source_key: str
    response_key: str


@dataclass(frozen=True, slots=True)
class ContextValue:
    """A variable of an operation that is filled from an object above the entity.

    The value stands under `keys`, one below the other (through lists: a list of the values), of the object in which the
    response key number `level` of the entity's path is looked up (0: the tree's root). A value that is missing, or null
    where `type` allows none, makes the representation unavailable.
    """

    variable: str
    type: str
    level: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntityInput:
    """One `_entities` field of a step.

    For each path, in order: find the objects, build a representation of each with the first shape that accepts it
    (none: skip the object), send them in the variable `variable`, and merge the answer's items, found under `alias`,
    into the very objects that they were built from. Equal representations need to be sent once only.

    `contexts`: values that differ between objects although the operation has one variable for each. The objects have
    to be asked for in groups with equal values, each group as an `_entities` field with variables of its own.
    """

    alias: str
    variable: str
    paths: tuple[FlattenPath, ...]
    shapes: tuple[RepresentationShape, ...]
    output_rewrites: tuple[OutputRewrite, ...] = ()
    contexts: tuple[ContextValue, ...] = ()


@dataclass(frozen=True, slots=True)
class RootStep:
    """A request for root fields; `data` is merged at `path`.

    `path` is the tree's root, or where a field returns the root type again.
    `operation`: the document's text. `variables`: the client variables that it uses, in the text's order.
    `condition`: all must hold, else the step is left out; empty: always.
    """

    id: int
    subgraph: SubgraphName
    kind: OperationKind
    operation: str
    operation_name: str | None
    variables: tuple[str, ...]
    depends_on: tuple[int, ...]
    condition: tuple[Condition, ...] = ()
    path: FlattenPath = ()
    output_rewrites: tuple[OutputRewrite, ...] = ()


@dataclass(frozen=True, slots=True)
class EntityStep:
    """A request for entities; several inputs are one aliased batch. Fields as in RootStep; the kind is always query.

    `variables` contains neither the inputs' representation variables nor those of their contexts. An input without
    representations may be sent as an empty list; a step of which all inputs are empty must not be sent.
    """

    id: int
    subgraph: SubgraphName
    operation: str
    operation_name: str | None
    variables: tuple[str, ...]
    depends_on: tuple[int, ...]
    inputs: tuple[EntityInput, ...]
    condition: tuple[Condition, ...] = ()

    @property
    def kind(self) -> OperationKind:
        """Entities are always asked by a query."""
        return "query"


FetchStep: TypeAlias = RootStep | EntityStep


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """All steps in a topological order; what the choice cost and how many states the search looked at."""

    kind: OperationKind
    steps: tuple[FetchStep, ...]
    verdict: PlanVerdict
    cost: int
    states_explored: int
