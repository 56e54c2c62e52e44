"""What a plan's steps put into the response tree, computed without data.

Every step is interpreted on the query graph, in the plan's order: its operation is read again from its text, each
field must be one that the subgraph can answer at that graph node (required fields must be among the
representation's), and what it delivers becomes a fact about the place in the tree: under this key, for objects of
this type, this field, by this step, under these conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, parse

from gateway.graphql_kit.field_sets import read_arguments
from gateway.graphql_kit.paths import FlattenPath, KeyElement, TypeCondition
from gateway.graphql_kit.selections import Condition, FieldSelection, SelectionSet
from gateway.planner.contexts import ContextBindings, mark_of
from gateway.planner.normalize.inline_fragments import read_conditions
from gateway.planner.plan.nodes import (
    EntityInput,
    EntityStep,
    FetchStep,
    OutputRewrite,
    QueryPlan,
    RepresentationField,
    RepresentationShape,
    RootStep,
)
from gateway.query_graph.model import FieldMove, GraphNode, NodeKind, QueryGraph

__all__ = ["Fact", "Interpreter", "Place", "Source"]

Conditions = frozenset[Condition]


@dataclass(slots=True)
class Source:
    """A step that delivers a field, if these conditions hold. `used`: somebody relies on it."""

    step: int
    conditions: Conditions
    used: bool = False


@dataclass(slots=True)
class Fact:
    """A field in the tree: what it means, who delivers it, and the place below it (None for leaves).

    `marks`: the bindings of arguments from contexts that all sources keep to; None where none are filled.
    """

    name: str
    arguments: tuple[tuple[str, str], ...]
    sources: list[Source]
    below: Place | None
    marks: frozenset[int] | None = None

    def means(self, wanted: FieldSelection) -> bool:
        """Whether this is what was asked."""
        mark = mark_of(wanted.arguments)
        if mark is None:
            return (self.name, self.arguments) == (wanted.name, wanted.arguments) and self.marks is None
        is_bound = self.marks is None or mark in self.marks  # None: answered where nothing is filled
        return (self.name, self.arguments) == (wanted.name, wanted.arguments[1:]) and is_bound


@dataclass(slots=True)
class Place:
    """Objects at one place: the concrete types that may stand there, and for each the facts by key."""

    types: set[str] = field(default_factory=set)
    facts: dict[str, dict[str, Fact]] = field(default_factory=dict)
    typename_sources: dict[str, list[Source]] = field(default_factory=dict)


class Interpreter:
    """Interprets one plan; `problems` is what was found wrong, `root` the tree."""

    def __init__(self, graph: QueryGraph, plan: QueryPlan, root_type: str, bindings: ContextBindings) -> None:
        self.graph = graph
        self.bindings = bindings
        self.plan = plan
        self.root = Place({root_type})
        self.problems: list[str] = []
        self.before: dict[int, frozenset[int]] = {}

    def run(self) -> None:
        """Interpret all steps in order."""
        for index, step in enumerate(self.plan.steps):
            if step.id != index or any(parent >= index for parent in step.depends_on):
                self.problems.append(f"step {step.id} is not in its place")
                return
            above = (self.before[parent] | {parent} for parent in step.depends_on)
            self.before[index] = frozenset().union(*above)
            match step:
                case RootStep():
                    self._root_step(step)
                case EntityStep():
                    self._entity_step(step)

    def _root_step(self, step: RootStep) -> None:
        selections = _operation(step).selection_set
        for place, types in self._places(step, step.path):
            for type_name in types:
                nodes = [n for n in self.graph.root_nodes(type_name) if n.subgraph == step.subgraph]
                if not nodes:
                    self.problems.append(f"step {step.id}: subgraph '{step.subgraph}' has no {type_name}")
                    continue
                reading = _Reading(self, step, step.output_rewrites, {})
                reading.select(nodes[0], selections, place, {type_name}, frozenset(step.condition))

    def _entity_step(self, step: EntityStep) -> None:
        fields = {
            node.alias.value if node.alias else node.name.value: node
            for node in _operation(step).selection_set.selections
            if isinstance(node, FieldNode)
        }
        for item in step.inputs:
            entities = fields.get(item.alias)
            if entities is None or entities.selection_set is None or entities.name.value != "_entities":
                self.problems.append(f"step {step.id}: the operation has no _entities field '{item.alias}'")
                continue
            for path in item.paths:
                found = list(self._places(step, path))
                if not found:
                    self.problems.append(f"step {step.id}: nothing is known at {path}")
                self._contexts_known(step, item, path)
                for place, types in found:
                    self._entity_input(step, item, place, types, entities.selection_set)

    def _entity_input(
        self, step: EntityStep, item: EntityInput, place: Place, types: set[str], selections: SelectionSetNode
    ) -> None:
        rest = set(types)
        for shape in item.shapes:
            accepted = rest if shape.type_names is None else rest & set(shape.type_names)
            rest = rest - accepted
            for type_name in sorted(accepted):
                self._representation(step, place, type_name, shape)
                sent = shape.sent_typename or type_name
                nodes = [
                    n for n in self.graph.nodes if n.type_name == sent and n.subgraph == step.subgraph and not n.view
                ]
                sent_fields = {f.name: f for f in shape.fields}
                if not nodes or not any(_contains(sent_fields, key, self.graph, sent) for key in nodes[0].keys):
                    self.problems.append(
                        f"step {step.id}: {sent} can't be entered in '{step.subgraph}' with {sent_fields.keys()}"
                    )
                    continue
                reading = _Reading(self, step, item.output_rewrites, sent_fields)
                reading.entity(nodes[0], selections, place, type_name, frozenset(step.condition))

    def _contexts_known(self, step: EntityStep, item: EntityInput, path: FlattenPath) -> None:
        """Every value that comes from above is there before."""
        for context in item.contexts:
            bound = self.bindings.variables.get(context.variable)
            if bound is None or (bound.type, bound.level, bound.keys) != (context.type, context.level, context.keys):
                self.problems.append(f"step {step.id} fills ${context.variable} otherwise than it is bound")
                continue
            keys = [index for index, element in enumerate(path) if isinstance(element, KeyElement)]
            above = path[: keys[context.level]] if context.level < len(keys) else path
            current = [(place, name) for place, types in self._places(step, above) for name in sorted(types)]
            for key in context.keys:
                following: list[tuple[Place, str]] = []
                for place, name in current:
                    fact = place.facts.get(name, {}).get(key)
                    if fact is None or not self._available(step, fact.sources):
                        self.problems.append(
                            f"step {step.id} needs '{key}' of {name} for ${context.variable} before it is there"
                        )
                    elif fact.below is not None:
                        following += [(fact.below, below) for below in sorted(fact.below.types)]
                current = following

    def _representation(self, step: EntityStep, place: Place, type_name: str, shape: RepresentationShape) -> None:
        if shape.type_names is not None and not self._available(step, place.typename_sources.get(type_name, [])):
            self.problems.append(f"step {step.id}: __typename of {type_name} is not known before it is needed")
        self._known_before(step, place, type_name, shape.fields)

    def _known_before(
        self, step: FetchStep, place: Place, type_name: str, fields: Iterable[RepresentationField]
    ) -> None:
        for wanted in fields:
            if wanted.name == "__typename" or (wanted.type_names is not None and type_name not in wanted.type_names):
                continue
            fact = place.facts.get(type_name, {}).get(wanted.source_key)
            if fact is None or fact.name != wanted.name or not self._available(step, fact.sources):
                self.problems.append(
                    f"step {step.id} needs {type_name}.{wanted.name} under '{wanted.source_key}' before it is there"
                )
                continue
            for concrete in fact.below.types if fact.below is not None else ():
                assert fact.below is not None
                self._known_before(step, fact.below, concrete, wanted.fields)

    def _available(self, step: FetchStep, sources: list[Source]) -> bool:
        """Whether a step before this one delivers, if this one is not left out."""
        found = False
        for source in sources:
            if source.step in self.before[step.id]:
                source.used = True
                found = True
        return found

    def _told_apart(self, step: FetchStep, places: Iterable[tuple[Place, set[str]]]) -> None:
        """Objects whose types are not known yet are passed over, as if they were of another one."""
        for place, types in places:
            for type_name in sorted(types):
                if not self._available(step, place.typename_sources.get(type_name, [])):
                    self.problems.append(f"step {step.id}: its path asks for {type_name} before __typename is there")

    def _places(self, step: FetchStep, path: FlattenPath) -> Iterator[tuple[Place, set[str]]]:
        """The places that a path leads to, each with the types that it lets through."""
        current: list[tuple[Place, set[str]]] = [(self.root, set(self.root.types))]
        for element in path:
            if isinstance(element, TypeCondition):
                current = [(place, types & set(element.type_names)) for place, types in current]
                self._told_apart(step, current)
            elif isinstance(element, KeyElement):
                following: dict[int, tuple[Place, set[str]]] = {}
                for place, types in current:
                    for type_name in types:
                        fact = place.facts.get(type_name, {}).get(element.response_key)
                        if fact is not None and fact.below is not None and self._available(step, fact.sources):
                            following[id(fact.below)] = (fact.below, set(fact.below.types))
                current = list(following.values())
        yield from ((place, types) for place, types in current if types)


class _Reading:
    """One selection set of a step being read into the tree."""

    def __init__(
        self,
        interpreter: Interpreter,
        step: FetchStep,
        rewrites: tuple[OutputRewrite, ...],
        sent: dict[str, RepresentationField],
    ) -> None:
        self.interpreter = interpreter
        self.graph = interpreter.graph
        self.step = step
        self.sent = sent
        self.renamed = {(_keys(r.path), r.source_key): r.response_key for r in rewrites}

    def entity(
        self, node: GraphNode, selections: SelectionSetNode, place: Place, type_name: str, conditions: Conditions
    ) -> None:
        for item in selections.selections:
            if not isinstance(item, InlineFragmentNode) or item.type_condition is None:
                continue
            condition = item.type_condition.name.value
            if not self.graph.applies(condition, node.type_name):
                continue
            types = {type_name}
            if node.kind is NodeKind.INTERFACE:
                types = set(node.members) or types
                place.types |= types
            self.select(node, item.selection_set, place, types, conditions)

    def select(
        self,
        node: GraphNode,
        selections: SelectionSetNode,
        place: Place,
        types: set[str],
        conditions: Conditions,
        *,
        path: tuple[str, ...] = (),
    ) -> None:
        for item in selections.selections:
            own = read_conditions(item.directives or ())
            if own is None:
                continue
            both = conditions | frozenset(own)
            if isinstance(item, InlineFragmentNode):
                condition = item.type_condition.name.value if item.type_condition else node.type_name
                narrowed = {t for t in types if item.type_condition is None or self.graph.applies(condition, t)}
                inner = self.graph.nodes[node.members[condition]] if condition in node.members else node
                self.select(inner, item.selection_set, place, narrowed, both, path=path)
            elif isinstance(item, FieldNode):
                self.field(node, item, place, types, conditions=both, path=path)

    def field(
        self,
        node: GraphNode,
        item: FieldNode,
        place: Place,
        types: set[str],
        *,
        conditions: Conditions,
        path: tuple[str, ...],
    ) -> None:
        emitted = item.alias.value if item.alias else item.name.value
        source = Source(self.step.id, conditions)
        if item.name.value == "__typename":
            if emitted == "__typename":
                for type_name in types:
                    place.typename_sources.setdefault(type_name, []).append(source)
            return
        key = self.renamed.get((path, emitted), emitted)
        for type_name in sorted(types):
            at = self.graph.nodes[node.members[type_name]] if type_name in node.members else node
            move = at.fields.get(item.name.value)
            if move is None or not _contains(self.sent, move.requires, self.graph, at.type_name):
                self.interpreter.problems.append(
                    f"step {self.step.id}: subgraph '{self.step.subgraph}' can't answer {type_name}.{item.name.value}"
                )
                continue
            fact = self.fact(place, type_name, key, item, source)
            self.keep_marks(fact, move, item)
            if move.target is not None and item.selection_set is not None:
                target = self.graph.nodes[move.target]
                below = fact.below = fact.below or Place()
                below_types = self.types_at(target)
                below.types |= below_types
                self.below(target).select(
                    target, item.selection_set, below, below_types, conditions, path=(*path, emitted)
                )

    def keep_marks(self, fact: Fact, move: FieldMove, item: FieldNode) -> None:
        """Narrow a field's bindings to those that this source keeps to."""
        if not move.context_arguments:
            return
        names = {argument.name for argument in move.context_arguments}
        given = tuple((name, value) for name, value in read_arguments(tuple(item.arguments or ())) if name in names)
        marks = frozenset(
            number
            for number, by_subgraph in enumerate(self.interpreter.bindings.by_mark)
            if tuple(sorted(by_subgraph.get(self.step.subgraph, ()))) == given
        )
        fact.marks = marks if fact.marks is None else fact.marks & marks

    def below(self, target: GraphNode) -> _Reading:
        """Requirements count for the entity itself, not for objects below it."""
        inner = _Reading(self.interpreter, self.step, (), {} if not target.is_root else self.sent)
        inner.renamed = self.renamed
        return inner

    def types_at(self, node: GraphNode) -> set[str]:
        if node.kind is NodeKind.OBJECT:
            return {node.type_name}
        if node.is_abstract and node.members:
            return set(node.members)
        return set(self.graph.possible_types(node.type_name)) or {node.type_name}

    def fact(self, place: Place, type_name: str, key: str, item: FieldNode, source: Source) -> Fact:
        filled = self.graph.contexts.arguments((type_name, *self.graph.interfaces_of(type_name)), item.name.value)
        names = {argument.name for argument in filled.get(self.step.subgraph, ())}
        arguments = tuple(each for each in read_arguments(tuple(item.arguments or ())) if each[0] not in names)
        by_key = place.facts.setdefault(type_name, {})
        have = by_key.get(key)
        if have is None:
            have = by_key[key] = Fact(item.name.value, arguments, [], None)
        elif (have.name, have.arguments) != (item.name.value, arguments):
            self.interpreter.problems.append(
                f"step {self.step.id} puts {type_name}.{item.name.value} under '{key}', where {have.name} already is"
            )
        have.sources.append(source)
        return have


def _operation(step: FetchStep) -> OperationDefinitionNode:
    (definition,) = parse(step.operation, no_location=True).definitions
    assert isinstance(definition, OperationDefinitionNode)
    return definition


def _keys(path: FlattenPath) -> tuple[str, ...]:
    return tuple(element.response_key for element in path if isinstance(element, KeyElement))


def _contains(
    sent: dict[str, RepresentationField], selections: SelectionSet, graph: QueryGraph, type_name: str
) -> bool:
    """Whether a representation holds everything that a key or requirement names for objects of a type."""
    for item in graph.fields_for(selections, type_name):
        if item.name == "__typename":
            continue
        have = sent.get(item.name)
        if have is None:
            return False
        nested = {f.name: f for f in have.fields}
        if item.selections and not all(
            child.name in nested or child.name == "__typename"
            for child in item.selections
            if isinstance(child, FieldSelection)
        ):
            return False
    return True
