"""Arguments that are filled from contexts, bound before anything is planned.

Problem: what fills such an argument stands above the object, so what is best below a field would depend on the whole
way to it. Idea: rewrite the operation so that it does not. Each field with such arguments gets a mark that says which
variables fill them, and the objects that set the contexts are asked for the values under keys of the response tree,
as if the client had asked. Then a place is planned as ever, and the executor carries the values down.

The nearest object above that sets a context decides, never the object itself. Where concrete types at one place
differ in what they set, the fields that lead down are split by type, so that every mark means one place.

Where several subgraphs can fill one field, each from values of its own, only those of the subgraph that is asked
in the end may be fetched: `keep` says which. Names of variables do not depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.graphql_kit.selections import (
    Condition,
    FieldSelection,
    InlineFragment,
    Selection,
    SelectionSet,
    add_conditions,
)
from gateway.graphql_kit.type_refs import named_type, write_type_ref
from gateway.planner.normalize.operation import NormalizedOperation, write_operation
from gateway.query_graph.context_values import read_context_value
from gateway.query_graph.model import ContextArgument, QueryGraph
from gateway.supergraph.model import InterfaceType, ObjectType, SubgraphName

__all__ = ["BoundOperation", "ContextBindings", "ContextVariable", "bind_contexts", "mark_of"]

Arguments = tuple[tuple[str, str], ...]

_MARK = "@context"
"""In the place of an argument's name, where no client can write it; the value is the number of the binding."""


@dataclass(frozen=True, slots=True)
class ContextVariable:
    """A variable of a step: its value stands `keys` below the object that `level` response keys lead to."""

    name: str
    type: str
    level: int
    keys: tuple[str, ...]


@dataclass(slots=True)
class ContextBindings:
    """`by_mark[i]`: per subgraph that can resolve the field with mark i, its filled arguments."""

    variables: dict[str, ContextVariable] = field(default_factory=dict)
    by_mark: list[Mapping[SubgraphName, Arguments]] = field(default_factory=list)

    def alternatives(self) -> list[dict[int, frozenset[SubgraphName]]]:
        """What to keep at each mark, by turns for each subgraph that another one could stand in for.

        Known limit: marks are not combined; where two of them have several subgraphs each, both follow one preference,
        and the plan does not call itself optimal (`has_untried_combinations`).
        """
        contested = [filled for filled in self.by_mark if len(filled) > 1]
        preferences = sorted({subgraph for filled in contested for subgraph in filled})
        return [
            {
                mark: frozenset({preferred}) if preferred in filled else frozenset(list(filled)[:1])
                for mark, filled in enumerate(self.by_mark)
            }
            for preferred in preferences
        ] or [{mark: frozenset(filled) for mark, filled in enumerate(self.by_mark)}]

    @property
    def has_untried_combinations(self) -> bool:
        """Whether `alternatives` leaves out ways to combine the marks' subgraphs."""
        return sum(len(filled) > 1 for filled in self.by_mark) > 1

    def subgraphs(self, arguments: Arguments) -> frozenset[SubgraphName]:
        """Who can resolve a field with arguments from contexts, given its mark."""
        mark = mark_of(arguments)
        return frozenset() if mark is None else frozenset(self.by_mark[mark])

    def filled(self, arguments: Arguments, subgraph: SubgraphName) -> Arguments:
        """The arguments as a subgraph gets them."""
        mark = mark_of(arguments)
        if mark is None:
            return arguments
        return tuple(sorted((*arguments[1:], *self.by_mark[mark].get(subgraph, ()))))

    def variables_of(self, arguments: Arguments, subgraph: SubgraphName) -> list[ContextVariable]:
        """The variables that fill a field's arguments in a subgraph."""
        mark = mark_of(arguments)
        given = () if mark is None else self.by_mark[mark].get(subgraph, ())
        return [self.variables[text[1:]] for _, text in given if text.startswith("$")]


@dataclass(frozen=True, slots=True)
class BoundOperation:
    """The operation with marks and with the fields that give the values."""

    operation: NormalizedOperation
    bindings: ContextBindings


def mark_of(arguments: Arguments) -> int | None:
    """The mark among a field's arguments; it is always the first."""
    return int(arguments[0][1]) if arguments and arguments[0][0] == _MARK else None


Keep = Callable[[int, SubgraphName, frozenset[str]], bool]
"""Whether a subgraph may be asked for the field with a mark, which takes the values of these variables."""


def _keep_all(_mark: int, _subgraph: SubgraphName, _variables: frozenset[str]) -> bool:
    return True


def bind_contexts(graph: QueryGraph, operation: NormalizedOperation, keep: Keep = _keep_all) -> BoundOperation:
    """Bind every argument that is filled from a context; an operation without such fields stays as it is."""
    if not graph.contexts.field_names or not _mentions(operation.selections, graph.contexts.field_names):
        return BoundOperation(operation, ContextBindings())
    binder = _Binder(graph, operation, keep)
    selections = binder.position(operation.selections, operation.root_type, (), ())
    return BoundOperation(replace(operation, selections=selections), binder.bindings)


def _mentions(selections: SelectionSet, names: frozenset[str]) -> bool:
    return any(
        (isinstance(item, FieldSelection) and item.name in names) or _mentions(item.selections, names)
        for item in selections
    )


@dataclass(slots=True)
class _Frame:
    """One place: the keys that lead to it, and the fields that it is asked for in addition."""

    static_type: str
    path: tuple[str, ...]
    added: dict[tuple[str, FieldSelection], None] = field(default_factory=dict)

    def selections(self, graph: QueryGraph) -> list[Selection]:
        is_object = graph.possible_types(self.static_type) == {self.static_type}
        return [item if is_object else InlineFragment(name, (), (item,)) for name, item in self.added]


@dataclass(frozen=True, slots=True)
class _Above:
    """Objects of some types at a place further up, and the conditions of all fields on the way down from there."""

    frame: _Frame
    types: tuple[str, ...]
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class _Filled:
    """One argument, what fills it in GraphQL notation, and the fields that the place above has to be asked for."""

    argument: str
    text: str
    frame: _Frame
    fields: tuple[tuple[str, FieldSelection], ...] = ()


class _Binder:
    def __init__(self, graph: QueryGraph, operation: NormalizedOperation, keep: Keep) -> None:
        self.graph = graph
        self.keep = keep
        self.contexts = graph.contexts
        self.bindings = ContextBindings()
        self.text = write_operation(operation)
        self.used: dict[tuple[str, ...], dict[str, set[tuple[str, Arguments]]]] = {}
        self.known: dict[tuple[object, ...], ContextVariable] = {}
        self.numbers: dict[tuple[tuple[SubgraphName, Arguments], ...], int] = {}
        self.register(operation.selections, ())

    def register(self, selections: SelectionSet, path: tuple[str, ...]) -> None:
        """Remember what the client's keys mean, so that values never stand under them by accident."""
        for item in selections:
            if isinstance(item, InlineFragment):
                self.register(item.selections, path)
            else:
                keys = self.used.setdefault(path, {})
                keys.setdefault(item.response_key, set()).add((item.name, item.arguments))
                self.register(item.selections, (*path, item.response_key))

    def position(
        self, selections: SelectionSet, static_type: str, path: tuple[str, ...], above: tuple[_Above, ...]
    ) -> SelectionSet:
        """The selections of one place, what its objects give to those below first."""
        frame = _Frame(static_type, path)
        types = tuple(sorted(self.graph.possible_types(static_type) - self.graph.hidden_types))
        items = self.items(selections, types, frame, above)
        return (*frame.selections(self.graph), *items)

    def items(
        self, selections: SelectionSet, types: tuple[str, ...], frame: _Frame, above: tuple[_Above, ...]
    ) -> list[Selection]:
        found: list[Selection] = []
        for item in selections:
            if isinstance(item, InlineFragment):
                narrowed = tuple(name for name in types if self.graph.applies(item.type_condition, name))
                inner = self.items(item.selections, narrowed, frame, above)
                found.append(replace(item, selections=tuple(inner)))
            else:
                found += self.field(item, types, frame, above)
        return found

    def field(
        self, item: FieldSelection, types: tuple[str, ...], frame: _Frame, above: tuple[_Above, ...]
    ) -> list[Selection]:
        """One field, split by type where the types differ in what they fill or set."""
        leads_down = _mentions(item.selections, self.contexts.field_names)
        if item.name.startswith("__") or not types or not (leads_down or item.name in self.contexts.field_names):
            return [item]
        groups: dict[tuple[object, ...], list[str]] = {}
        for name in types:
            groups.setdefault(self.signature(name, item, leads_down=leads_down), []).append(name)
        if len(groups) == 1:
            return [self.bound(item, types, frame, above)]
        found: list[Selection] = []
        for group in groups.values():
            bound = self.bound(item, tuple(group), frame, above)
            found += [InlineFragment(name, (), (bound,)) for name in group]
        return found

    def signature(self, type_name: str, item: FieldSelection, *, leads_down: bool) -> tuple[object, ...]:
        """What must be equal for types to be treated alike."""
        own = tuple(sorted(self.arguments(type_name, item.name).items()))
        if not leads_down:
            return own
        set_here = self.contexts.set_by(type_name)
        values = []
        for context, selection in self.contexts.uses:
            value = read_context_value(self.graph, type_name, selection) if context in set_here else None
            named = type_name if value is not None and value.field is None else None
            values.append((context in set_here, value and value.depth, named))
        return (*own, *values)

    def arguments(self, type_name: str, name: str) -> Mapping[SubgraphName, tuple[ContextArgument, ...]]:
        return self.contexts.arguments((type_name, *self.graph.interfaces_of(type_name)), name)

    def bound(
        self, item: FieldSelection, types: tuple[str, ...], frame: _Frame, above: tuple[_Above, ...]
    ) -> FieldSelection:
        arguments = item.arguments
        filled: dict[SubgraphName, list[_Filled]] = {}
        for subgraph, wanted in sorted(self.arguments(types[0], item.name).items()):
            values = [self.resolve(argument, item.conditions, above) for argument in wanted]
            given = [value for value in values if value is not None]
            if len(given) == len(wanted):
                filled[subgraph] = given
        if filled:
            arguments = ((_MARK, str(self.mark(filled))), *arguments)
        selections = item.selections
        if selections:
            definition = self.graph.supergraph.types[types[0]]
            assert isinstance(definition, ObjectType | InterfaceType)
            below = named_type(definition.fields[item.name].type)
            further = [replace(each, conditions=add_conditions(each.conditions, item.conditions)) for each in above]
            chain = (_Above(frame, types, item.conditions), *further)
            selections = self.position(selections, below, (*frame.path, item.response_key), chain)
        return replace(item, arguments=arguments, selections=selections)

    def mark(self, filled: Mapping[SubgraphName, list[_Filled]]) -> int:
        """The number of a binding; what is kept of it is asked for."""
        arguments = {
            subgraph: tuple((each.argument, each.text) for each in given) for subgraph, given in filled.items()
        }
        number = self.numbers.setdefault(tuple(arguments.items()), len(self.numbers))
        kept: dict[SubgraphName, Arguments] = {}
        for subgraph, given in filled.items():
            variables = frozenset(each.text[1:] for each in given if each.text.startswith("$"))
            if self.keep(number, subgraph, variables):
                kept[subgraph] = arguments[subgraph]
                for each in given:
                    each.frame.added |= dict.fromkeys(each.fields)
        if number == len(self.bindings.by_mark):
            self.bindings.by_mark.append(kept)
        return number

    def resolve(
        self, argument: ContextArgument, conditions: Iterable[Condition], above: Sequence[_Above]
    ) -> _Filled | None:
        """What fills an argument; None where nothing above gives it."""
        for each in above:
            if argument.context in self.contexts.set_by(each.types[0]):
                return self.value(argument, each, add_conditions(each.conditions, conditions))
        return None

    def value(self, argument: ContextArgument, above: _Above, conditions: tuple[Condition, ...]) -> _Filled | None:
        fields: dict[str, FieldSelection] = {}
        depth = 0
        for name in above.types:
            value = read_context_value(self.graph, name, argument.selection)
            if value is None:
                return None
            if value.field is None:
                return _Filled(argument.name, json.dumps(name), above.frame)  # a split has left one type
            fields[name], depth = value.field, value.depth
        frame = above.frame
        identity = (frame.path, above.types, argument.context, argument.selection, argument.type)
        variable = self.known.get(identity)
        if variable is None:
            name = self.fresh()
            key = self.key(frame.path, list(fields.values()), depth, name)
            variable = ContextVariable(name, write_type_ref(argument.type), len(frame.path), (key,) * depth)
            self.known[identity] = self.bindings.variables[name] = variable
        added: list[tuple[str, FieldSelection]] = []
        for type_name, wanted in fields.items():
            (asked,) = _under_key((wanted,), variable.keys[0])
            assert isinstance(asked, FieldSelection)
            added.append((type_name, replace(asked, conditions=conditions)))
        return _Filled(argument.name, f"${variable.name}", frame, tuple(added))

    def key(self, path: tuple[str, ...], fields: list[FieldSelection], depth: int, fresh: str) -> str:
        """The plain name where it means the same to everybody and nothing lies below, else a name of its own."""
        meanings = {(each.name, each.arguments) for each in fields}
        if depth == 1 and len(meanings) == 1:
            used = self.used.setdefault(path, {})
            if used.setdefault(fields[0].name, set(meanings)) == meanings:
                return fields[0].name
        return fresh

    def fresh(self) -> str:
        number = len(self.known)
        while f"_c_{number}" in self.text:
            number += 1
        self.text += f" _c_{number}"
        return f"_c_{number}"


def _under_key(selections: SelectionSet, key: str) -> SelectionSet:
    """The same fields with one key at all levels, so that the way to the value does not depend on types."""
    found: list[Selection] = []
    for item in selections:
        below = _under_key(item.selections, key)
        if isinstance(item, InlineFragment):
            found.append(replace(item, selections=below))
        else:
            found.append(replace(item, alias=None if key == item.name else key, selections=below))
    return tuple(found)
