"""The fetch graph: drafts of steps and of what they select. Mutable, private to one planning run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.graphql_kit.paths import EVERY_ITEM, EveryItem, FlattenElement, KeyElement, TypeCondition
from gateway.graphql_kit.selections import Condition
from gateway.graphql_kit.type_refs import ListRef, NamedRef, NonNullRef, TypeRef
from gateway.planner.plan.nodes import OperationKind
from gateway.query_graph.model import NodeId
from gateway.supergraph.model import SubgraphName

__all__ = [
    "DraftField",
    "DraftInput",
    "DraftPath",
    "DraftSelection",
    "DraftShape",
    "DraftStep",
    "FetchGraph",
    "Narrowing",
    "depths",
    "flatten_path",
    "list_depth",
    "response_keys",
]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Only objects of `names` of all the types in `universe` that stand there."""

    names: frozenset[str]
    universe: frozenset[str]


DraftPath: TypeAlias = tuple[KeyElement | EveryItem | Narrowing, ...]


@dataclass(slots=True)
class DraftField:
    """A field to ask.

    `conditions` None: nobody has asked yet; else what all who ask have in common, counted from the operation's root:
    what holds for the fields around it is included.

    `emitted_key`: the key in the operation's text where it must differ from the key in the response tree.
    """

    key: str
    name: str
    arguments: tuple[tuple[str, str], ...]
    type: TypeRef
    conditions: frozenset[Condition] | None = None
    child: DraftSelection | None = None
    emitted_key: str = ""

    def ask(self, conditions: frozenset[Condition]) -> None:
        """Somebody needs the field under these conditions."""
        self.conditions = conditions if self.conditions is None else self.conditions & conditions


@dataclass(slots=True)
class DraftSelection:
    """What is selected of objects at one place in a step: per type (as planned for), by response key.

    `node` is the graph node of the static type there. `wants_typename`: `__typename` is selected whatever the type.
    """

    node: NodeId
    fields: dict[str, dict[str, DraftField]] = field(default_factory=dict)
    wants_typename: bool = False

    def all_fields(self) -> Iterator[tuple[str, DraftField]]:
        """Each field with the type that it is asked of."""
        for type_name, by_key in self.fields.items():
            for item in by_key.values():
                yield type_name, item

    def absorb(self, other: DraftSelection) -> None:
        """Select what the other selects, too."""
        self.wants_typename |= other.wants_typename
        for type_name, item in other.all_fields():
            by_key = self.fields.setdefault(type_name, {})
            have = by_key.get(item.key)
            if have is None:
                by_key[item.key] = item
                continue
            have.ask(item.conditions or frozenset())
            if have.child is not None and item.child is not None:
                have.child.absorb(item.child)


@dataclass(frozen=True, slots=True)
class DraftShape:
    """A representation's fields by (name, source key, types), nested; the order is that of first need."""

    name: str
    source_key: str
    fields: tuple[DraftShape, ...] = ()
    type_names: tuple[str, ...] | None = None


@dataclass(slots=True)
class DraftInput:
    """One place where objects become representations. `shapes`: by type name what is sent and under which name.

    `needs_type`: objects there must be told apart by `__typename`. `holders`: the fields whose values the objects
    are, one for each step that delivers them.
    """

    path: DraftPath
    needs_type: bool
    shapes: dict[str, tuple[str, tuple[DraftShape, ...]]]
    selection: dict[NodeId, DraftSelection]
    holders: tuple[DraftField, ...] = ()

    def enforced(self) -> frozenset[Condition]:
        """The conditions without which there are no objects at the path anyway."""
        found: frozenset[Condition] | None = None
        for holder in self.holders:
            conditions = holder.conditions or frozenset()
            found = conditions if found is None else found & conditions
        return found or frozenset()


@dataclass(slots=True)
class DraftStep:
    """A request. Root steps have a selection and no inputs, entity steps the reverse."""

    id: int
    subgraph: SubgraphName
    kind: OperationKind
    parents: set[int]
    path: DraftPath = ()
    root: DraftSelection | None = None
    inputs: list[DraftInput] = field(default_factory=list)

    def condition(self) -> frozenset[Condition]:
        """What all fields of the step have in common: unless it holds, nothing in it matters.

        Conditions without which the step finds no objects are left out.
        """
        found: frozenset[Condition] | None = None
        for enforced, selection in [
            *([(frozenset[Condition](), self.root)] if self.root else []),
            *((item.enforced(), selection) for item in self.inputs for selection in item.selection.values()),
        ]:
            if selection.wants_typename:
                return frozenset()
            for _, item in selection.all_fields():
                conditions = (item.conditions or frozenset()) - enforced
                found = conditions if found is None else found & conditions
        return found or frozenset()


@dataclass(slots=True)
class FetchGraph:
    """All steps by id; edges are in the steps' `parents`."""

    steps: dict[int, DraftStep] = field(default_factory=dict)
    next_id: int = 0

    def add(self, subgraph: SubgraphName, kind: OperationKind, parents: set[int]) -> DraftStep:
        """A new step."""
        step = DraftStep(self.next_id, subgraph, kind, parents)
        self.next_id += 1
        self.steps[step.id] = step
        return step

    def ancestors(self, step_id: int) -> set[int]:
        """All steps that must be done before this one."""
        found: set[int] = set()
        stack = list(self.steps[step_id].parents)
        while stack:
            current = stack.pop()
            if current not in found:
                found.add(current)
                stack.extend(self.steps[current].parents)
        return found

    def replace(self, old: int, new: int) -> None:
        """Forget a step whose content another has taken over."""
        gone = self.steps.pop(old)
        self.steps[new].parents |= gone.parents - {new}
        for step in self.steps.values():
            if old in step.parents:
                step.parents.discard(old)
                if step.id != new:
                    step.parents.add(new)


def depths(graph: FetchGraph) -> dict[int, int]:
    """How many steps in a row lead to each step (roots: 0). Raises ValueError when steps form a circle."""
    known: dict[int, int] = {}
    waiting = dict(graph.steps)
    while waiting:
        ready = [i for i, step in waiting.items() if all(parent in known for parent in step.parents)]
        if not ready:
            raise ValueError(f"steps {sorted(waiting)} lean on each other in a circle")
        for step_id in ready:
            known[step_id] = 1 + max((known[p] for p in waiting[step_id].parents), default=-1)
        for step_id in ready:
            del waiting[step_id]
    return known


def list_depth(ref: TypeRef) -> int:
    """How many lists are around a type."""
    count = 0
    while not isinstance(ref, NamedRef):
        count += isinstance(ref, ListRef)
        ref = ref.of
    return count


def wrappers(ref: TypeRef) -> str:
    """The lists and non-nulls around a type, as text."""
    text = ""
    while not isinstance(ref, NamedRef):
        text += "!" if isinstance(ref, NonNullRef) else "[]"
        ref = ref.of
    return text


def below(path: DraftPath, key: str, lists: int) -> DraftPath:
    """The path of the objects under a response key."""
    return (*path, KeyElement(key), *(EVERY_ITEM for _ in range(lists)))


def response_keys(path: DraftPath) -> tuple[str, ...]:
    """The path's keys alone."""
    return tuple(element.response_key for element in path if isinstance(element, KeyElement))


def flatten_path(path: DraftPath) -> tuple[FlattenElement, ...]:
    """The path for the plan: narrowings that let everything through are left out."""
    elements: list[FlattenElement] = []
    for element in path:
        if not isinstance(element, Narrowing):
            elements.append(element)
        elif element.names != element.universe:
            elements.append(TypeCondition(tuple(sorted(element.names))))
    return tuple(elements)
