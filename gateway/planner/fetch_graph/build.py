"""Query tree → fetch graph.

For each position: every field is put where it is asked (at hand: into the step that delivers the objects; through an
entry: into that entry's request, which is started when its first field is placed), and every request leans on all
steps that deliver what its representations contain. Fields are placed before the requests that need them; the
chooser has ruled out circles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field

from gateway.errors import PlanningBudgetExceeded
from gateway.graphql_kit.paths import EVERY_ITEM, KeyElement
from gateway.graphql_kit.selections import Condition, FieldSelection
from gateway.graphql_kit.type_refs import named_type
from gateway.planner.contexts import ContextBindings
from gateway.planner.fetch_graph.model import (
    DraftField,
    DraftInput,
    DraftPath,
    DraftSelection,
    DraftShape,
    DraftStep,
    FetchGraph,
    Narrowing,
    list_depth,
    response_keys,
)
from gateway.planner.fetch_graph.source_keys import SourceKeys
from gateway.planner.normalize.inline_fragments import is_contradiction
from gateway.planner.plan.nodes import OperationKind
from gateway.planner.query_tree import TreeEntry, TreeField, TreePosition
from gateway.planner.selection_table import merge_fields
from gateway.query_graph.model import NodeId, NodeKind, QueryGraph
from gateway.supergraph.model import InterfaceType, ObjectType, UnionType

__all__ = ["build_fetch_graph"]

MAX_PLACED = 60_000
"""Fields placed for one operation, about a second on one core. What is asked of an abstract type is placed for each of
its types, and so is all below: levels multiply, and a text of 200 letters would take minutes."""

_Sinks = Mapping[NodeId, tuple[DraftStep, DraftSelection]]
"""Where fields of objects at hand go: for each node the step that delivers them and its selection there."""


def build_fetch_graph(
    graph: QueryGraph,
    positions: list[TreePosition],
    keys: SourceKeys,
    kind: OperationKind,
    bindings: ContextBindings,
) -> FetchGraph:
    """The steps for root positions that are answered one after the other (queries have one position).

    Raises PlanningBudgetExceeded for more than MAX_PLACED fields.
    """
    fetch_graph = FetchGraph()
    run = _Run(graph, fetch_graph, keys, kind, bindings)
    for position in positions:
        before = set(fetch_graph.steps)
        _PositionBuilder(run, position, (), _Delivery({}), abstract=False).build()
        for step in fetch_graph.steps.values():
            if step.id not in before and not step.parents:
                step.parents |= before
    for step, value in run.filled:
        step.parents |= run.delivered[value] - {step.id}
    return fetch_graph


@dataclass(frozen=True, slots=True)
class _Delivery:
    """How the objects of a position come: through which steps, as values of which fields, under which conditions.

    `typing`: the steps that tell the types by which the path is narrowed, where what delivers the objects hides them.
    """

    sinks: _Sinks
    holders: tuple[DraftField, ...] = ()
    conditions: frozenset[Condition] = frozenset()
    typing: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Run:
    """What all positions of one run share.

    Where arguments are filled from contexts: `delivered` tells for each key at a response path the steps that deliver
    it, and `filled` the steps that wait for one.
    """

    graph: QueryGraph
    fetch_graph: FetchGraph
    keys: SourceKeys
    kind: OperationKind
    bindings: ContextBindings
    delivered: dict[tuple[str, ...], set[int]] = dataclass_field(default_factory=dict)
    filled: list[tuple[DraftStep, tuple[str, ...]]] = dataclass_field(default_factory=list)
    placed_count: int = 0

    def count_field(self) -> None:
        """One more is placed; raises PlanningBudgetExceeded behind the last that may be."""
        self.placed_count += 1
        if self.placed_count > MAX_PLACED:
            raise PlanningBudgetExceeded("fields of types", MAX_PLACED, self.placed_count)


class _PositionBuilder:
    """Places one position; `abstract`: its objects have a type in the API schema that has several concrete ones."""

    def __init__(
        self, run: _Run, position: TreePosition, path: DraftPath, delivery: _Delivery, *, abstract: bool
    ) -> None:
        self.run = run
        self.graph = run.graph
        self.fetch_graph = run.fetch_graph
        self.keys = run.keys
        self.position = position
        self.path = path
        self.sinks = delivery.sinks
        self.delivery = delivery
        self.abstract = abstract
        self.request_of = {entry: number for number, entries in enumerate(position.requests) for entry in entries}
        self.started: dict[int, DraftStep] = {}
        self.input_of: dict[int, DraftInput] = {}
        self.placed: dict[tuple[int, str], set[int]] = {}
        self.asked_conditions = self._asked_conditions()
        self.conditions_known: dict[int, frozenset[Condition] | None] = {}

    def build(self) -> set[int]:
        """Place everything; the steps that deliver what was asked at this position and below."""
        self.want_typenames()
        steps: set[int] = set()
        for asked in self.position.asked:
            conditions = self.delivery.conditions | frozenset(asked.selection.conditions)
            if is_contradiction(tuple(conditions)):
                continue  # asked under a field that is there only when this one is not
            steps |= self.place(asked.field, asked.selection.response_key, conditions)
        if self.position.typing is not None:
            steps.add(self.start(self.position.typing).id)
        if not self.position.asked:
            steps |= {step.id for step, _ in self.sinks.values()}
        return steps

    def want_typenames(self) -> None:
        for node_id, (_, selection) in self.sinks.items():
            node = self.graph.nodes[node_id]
            abstract = self.abstract or node.is_abstract
            if abstract and (node.is_abstract or self.position.typed) and not self._hides_type(node_id):
                selection.wants_typename = True

    def _hides_type(self, node_id: NodeId) -> bool:
        return self.graph.nodes[node_id].kind is NodeKind.INTERFACE_OBJECT

    def place(self, index: int, key: str, conditions: frozenset[Condition]) -> set[int]:
        """Ask a field under a response key; the steps that deliver it with all below."""
        known = self.placed.get((index, key))
        if known is not None:
            self._ask_again(index, key, conditions)
            return known
        self.run.count_field()
        field = self.position.fields[index]
        if field.child is not None:  # what is below is built once, for all who ask
            conditions = self.field_conditions(index) or frozenset()
        steps: set[int] = set()
        holders: list[DraftField] = []
        targets: dict[NodeId, tuple[DraftStep, DraftSelection]] = {}
        for provider in field.providers:
            if provider.entry is None:
                step, selection = self.sink(field.type_name, provider.node)
            else:
                step = self.start(provider.entry)
                selection = self.entry_selection(step, provider.entry, provider.node)
            steps.add(step.id)
            self.wait_for_contexts(step, field, provider.node)
            draft = self.add_field(selection, field, key, provider.node, conditions)
            target = self.graph.nodes[provider.node].fields[field.name].target
            if target is not None and draft.child is not None:
                targets[target] = (step, draft.child)
                holders.append(draft)
        if field.child is not None:
            delivery = _Delivery(targets, tuple(holders), conditions)
            steps |= self.build_below(field, field.child, key, delivery)
        self.placed[index, key] = steps
        if self.run.bindings.variables:
            self.run.delivered.setdefault((*response_keys(self.path), key), set()).update(steps)
        return steps

    def wait_for_contexts(self, step: DraftStep, field: TreeField, node_id: NodeId) -> None:
        """A step leans on what delivers the values that fill its arguments; known when everything is placed."""
        path = response_keys(self.path)
        for variable in self.run.bindings.variables_of(field.arguments, self.graph.nodes[node_id].subgraph):
            self.run.filled.append((step, (*path[: variable.level], variable.keys[0])))

    def _ask_again(self, index: int, key: str, conditions: frozenset[Condition]) -> None:
        field = self.position.fields[index]
        for provider in field.providers:
            if provider.entry is None:
                _, selection = self.sink(field.type_name, provider.node)
            else:
                selection = self.entry_selection(self.start(provider.entry), provider.entry, provider.node)
            selection.fields[field.type_name][key].ask(conditions)

    def build_below(self, field: TreeField, child: TreePosition, key: str, delivery: _Delivery) -> set[int]:
        definition = self.graph.supergraph.types[field.type_name]
        assert isinstance(definition, ObjectType | InterfaceType)
        api_type = definition.fields[field.name].type
        narrowed: DraftPath = self.path
        typing = self.delivery.typing
        if self.abstract and self.position.typed and field.type_name in self.position.types:
            narrowed = (*narrowed, Narrowing(frozenset((field.type_name,)), frozenset(self.position.types)))
            if self.position.typing is not None:
                typing |= {self.start(self.position.typing).id}
        path = (*narrowed, KeyElement(key), *(EVERY_ITEM for _ in range(list_depth(api_type))))
        abstract = isinstance(self.graph.supergraph.types[named_type(api_type)], InterfaceType | UnionType)
        return _PositionBuilder(self.run, child, path, replace(delivery, typing=typing), abstract=abstract).build()

    def sink(self, type_name: str, node_id: NodeId) -> tuple[DraftStep, DraftSelection]:
        """The place at hand whose objects of a type are known at a node."""
        for sink_node, place in self.sinks.items():
            node = self.graph.nodes[sink_node]
            if sink_node == node_id or node.members.get(type_name) == node_id:
                return place
        raise AssertionError(f"{self.graph.nodes[node_id]} is not at hand")

    def add_field(
        self, selection: DraftSelection, field: TreeField, key: str, node_id: NodeId, conditions: frozenset[Condition]
    ) -> DraftField:
        move = self.graph.nodes[node_id].fields[field.name]
        by_key = selection.fields.setdefault(field.type_name, {})
        draft = by_key.get(key)
        if draft is None:
            child = None if move.target is None else DraftSelection(move.target)
            arguments = self.run.bindings.filled(field.arguments, self.graph.nodes[node_id].subgraph)
            draft = by_key[key] = DraftField(key, field.name, arguments, move.type, child=child)
        draft.ask(conditions)
        return draft

    def start(self, entry_index: int) -> DraftStep:
        """The request that an entry belongs to, started with all its entries when first asked for."""
        number = self.request_of[entry_index]
        known = self.started.get(number)
        if known is not None:
            return known
        entries = [(i, self.position.entries[i]) for i in self.position.requests[number] if self.is_asked(i)]
        first = self.graph.nodes[entries[0][1].node]
        step = self.fetch_graph.add(first.subgraph, "query", set())
        self.started[number] = step
        if first.is_root:
            step.kind, step.path, step.root = (
                self.run.kind if not self.path else "query",
                self.path,
                DraftSelection(first.id),
            )
            step.parents |= {at_hand.id for at_hand, _ in self.sinks.values()} | self.delivery.typing
            return step
        needs_type = self.abstract and self.position.typed and entries[0][1].type_name in self.position.types
        parents: set[int] = set()
        for together in self.entries_by_input(entries, needs_type=needs_type):
            needed, shapes = self.representations(together)
            parents |= needed
            item = DraftInput(self.path, needs_type, shapes, {}, self.delivery.holders)
            step.inputs.append(item)
            self.input_of.update((index, item) for index, _ in together)
        typing = self.position.typing
        if typing is not None and needs_type:
            parents.add(self.start(typing).id)
        elif typing is not None and typing in self.position.requests[number]:
            node = self.position.entries[typing].node
            self.input_of[typing].selection[node] = DraftSelection(node, wants_typename=True)
        step.parents |= (parents or {at_hand.id for at_hand, _ in self.sinks.values()}) - {step.id}
        step.parents |= self.delivery.typing
        return step

    def entries_by_input(
        self, entries: list[tuple[int, TreeEntry]], *, needs_type: bool
    ) -> list[list[tuple[int, TreeEntry]]]:
        """Entries that one input can serve.

        An interface object can't be asked one thing for some concrete types and another for others within one
        selection; there each type has an input of its own (equal ones are put together again in the plan).
        """
        groups: dict[str, list[tuple[int, TreeEntry]]] = {}
        for index, entry in entries:
            alone = needs_type and self.graph.nodes[entry.node].kind is NodeKind.INTERFACE_OBJECT
            groups.setdefault(entry.type_name if alone else "", []).append((index, entry))
        return list(groups.values())

    def representations(
        self, entries: list[tuple[int, TreeEntry]]
    ) -> tuple[set[int], dict[str, tuple[str, tuple[DraftShape, ...]]]]:
        """The steps that deliver what the representations contain, and their shapes by type."""
        parents: set[int] = set()
        shapes: dict[str, tuple[str, tuple[DraftShape, ...]]] = {}
        path = response_keys(self.path)
        for index, entry in entries:
            conditions = self.entry_conditions(index) or frozenset()
            fields: list[DraftShape] = []
            for need in entry.needs:
                key = self.keys.key_for(path, need.selection)
                parents |= self.place(need.field, key, conditions)
                fields.append(self.shape(need.selection, key, (*path, key), entry.type_name))
            sent = self.graph.nodes[entry.node].type_name
            have = shapes.get(entry.type_name)
            both = (*(have[1] if have else ()), *fields)
            shapes[entry.type_name] = (sent, merge_shapes(both))
        return parents, shapes

    def shape(self, selection: FieldSelection, key: str, path: tuple[str, ...], type_name: str) -> DraftShape:
        definition = self.graph.supergraph.types[type_name]
        assert isinstance(definition, ObjectType | InterfaceType)
        below = named_type(definition.fields[selection.name].type)
        return DraftShape(selection.name, key, self.shapes_below(selection, path, below))

    def shapes_below(self, selection: FieldSelection, path: tuple[str, ...], type_name: str) -> tuple[DraftShape, ...]:
        """The nested fields of a required object; on an abstract type each with the concrete types it is for."""
        definition = self.graph.supergraph.types.get(type_name)
        if not isinstance(definition, InterfaceType | UnionType):
            return self.fields_below(selection, path, type_name, None)
        found: dict[DraftShape, list[str]] = {}
        for concrete in sorted(self.graph.possible_types(type_name)):
            for shape in self.fields_below(selection, path, concrete, None):
                found.setdefault(shape, []).append(concrete)
        return tuple(
            DraftShape(shape.name, shape.source_key, shape.fields, tuple(types)) for shape, types in found.items()
        )

    def fields_below(
        self, selection: FieldSelection, path: tuple[str, ...], type_name: str, types: tuple[str, ...] | None
    ) -> tuple[DraftShape, ...]:
        definition = self.graph.supergraph.types.get(type_name)
        shapes: list[DraftShape] = []
        for item in merge_fields(self.graph.fields_for(selection.selections, type_name)):
            if item.name == "__typename":
                shapes.append(DraftShape("__typename", "__typename", (), types))
                continue
            assert isinstance(definition, ObjectType | InterfaceType)
            key = self.keys.key_for(path, item)
            below = named_type(definition.fields[item.name].type)
            shapes.append(DraftShape(item.name, key, self.shapes_below(item, (*path, key), below), types))
        return tuple(shapes)

    def entry_selection(self, step: DraftStep, entry_index: int, node_id: NodeId) -> DraftSelection:
        """Where fields asked through an entry go; a node that the typing entry's node leads to shares its selection."""
        if step.root is not None:
            return step.root
        selections = self.input_of[entry_index].selection
        outer = self.position.entries[entry_index].node
        assert outer == node_id or node_id in self.graph.nodes[outer].members.values()
        return selections.setdefault(outer, DraftSelection(outer))

    def _asked_conditions(self) -> dict[int, frozenset[Condition]]:
        found: dict[int, frozenset[Condition]] = {}
        for asked in self.position.asked:
            conditions = self.delivery.conditions | frozenset(asked.selection.conditions)
            if is_contradiction(tuple(conditions)):
                continue
            found[asked.field] = found[asked.field] & conditions if asked.field in found else conditions
        return found

    def is_asked(self, entry_index: int) -> bool:
        """Whether anything is ever asked through an entry; conditions that exclude each other can leave nothing."""
        if entry_index == self.position.typing:
            return True
        through = (
            index
            for index, field in enumerate(self.position.fields)
            if any(provider.entry == entry_index for provider in field.providers)
        )
        return any(self.field_conditions(index) is not None for index in through)

    def entry_conditions(self, entry_index: int) -> frozenset[Condition] | None:
        """What all fields have in common that are asked through the entry's request; None when none ever is."""
        number = self.request_of[entry_index]
        if number in self.conditions_known:
            return self.conditions_known[number]
        if self.position.typing in self.position.requests[number]:
            return self.delivery.conditions
        found: frozenset[Condition] | None = None
        for index, field in enumerate(self.position.fields):
            if any(p.entry is not None and self.request_of[p.entry] == number for p in field.providers):
                found = _common(found, self.field_conditions(index))
        self.conditions_known[number] = found
        return found

    def field_conditions(self, index: int) -> frozenset[Condition] | None:
        """What all who ask for a field have in common; None when nobody ever does."""
        found = self.asked_conditions.get(index)
        for entry_index, entry in enumerate(self.position.entries):
            if any(need.field == index for need in entry.needs):
                found = _common(found, self.entry_conditions(entry_index))
        return found


def _common(one: frozenset[Condition] | None, other: frozenset[Condition] | None) -> frozenset[Condition] | None:
    """What two who ask have in common; None stands for nobody."""
    if one is None or other is None:
        return one if other is None else other
    return one & other


def merge_shapes(shapes: tuple[DraftShape, ...]) -> tuple[DraftShape, ...]:
    """Fields of one representation with one entry per name, nested fields put together."""
    merged: dict[tuple[str, str, tuple[str, ...] | None], DraftShape] = {}
    for shape in shapes:
        key = (shape.name, shape.source_key, shape.type_names)
        have = merged.get(key)
        nested = (*have.fields, *shape.fields) if have else shape.fields
        merged[key] = DraftShape(shape.name, shape.source_key, merge_shapes(nested), shape.type_names)
    return tuple(merged.values())
