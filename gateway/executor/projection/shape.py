"""What the client's answer looks like: a tree of shapes, compiled from the operation and the API schema.

@skip and @include are decided here, from the values of the variables that they name: an operation has one shape per
combination in use. That keeps field order and merging exactly as the specification's CollectFields has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from gateway.errors import InternalError, ResponsePathKeys

__all__ = [
    "FieldShape",
    "HiddenNames",
    "LeafKind",
    "LeafShape",
    "ListShape",
    "ObjectShape",
    "ValueShape",
    "build_operation_shape",
    "clip_path",
    "condition_variables",
]


class LeafKind(Enum):
    """How a leaf's value is checked: specified scalars by their JSON types, enums by their values, others not."""

    INT = auto()
    FLOAT = auto()
    STRING = auto()
    BOOLEAN = auto()
    ID = auto()
    ENUM = auto()
    CUSTOM = auto()


@dataclass(frozen=True, slots=True)
class HiddenNames:
    """What the supergraph knows and clients must not see: object types, and values by enum.

    A subgraph may well answer with them; they are null for clients, and no error, since nothing went wrong.
    """

    types: frozenset[str] = frozenset()
    enum_values: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeafShape:
    """A scalar or enum; `enum_values` are those of the API schema, `hidden_values` those that it hides."""

    nullable: bool
    type_name: str
    kind: LeafKind
    enum_values: frozenset[str] = frozenset()
    hidden_values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ListShape:
    """A list; every level of nesting is one of these."""

    nullable: bool
    item: ValueShape


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """An object position. `fields_by_type`: what is shown for each concrete type, in the client's order.

    Where `is_abstract`, the object's `__typename` chooses; elsewhere there is one entry, `type_name`. `untyped`: the
    fields to show of an object without `__typename`, where every possible type shows the same; else None. Objects of
    `hidden_types` are null without an error.
    """

    nullable: bool
    type_name: str
    is_abstract: bool
    fields_by_type: Mapping[str, tuple[FieldShape, ...]]
    untyped: tuple[FieldShape, ...] | None = None
    hidden_types: frozenset[str] = frozenset()


ValueShape: TypeAlias = LeafShape | ListShape | ObjectShape
_FieldsType: TypeAlias = GraphQLObjectType | GraphQLInterfaceType


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One response key. `value` None: the key shows the object's concrete type (`__typename`).

    `introspection`: the value is answered by the gateway itself and stands in the tree as the client gets it.
    """

    response_key: str
    coordinate: str
    value: ValueShape | None
    introspection: bool = False


_SCALAR_KINDS = {
    "Int": LeafKind.INT,
    "Float": LeafKind.FLOAT,
    "String": LeafKind.STRING,
    "Boolean": LeafKind.BOOLEAN,
    "ID": LeafKind.ID,
}


def condition_variables(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[str, ...]:
    """Variables that decide @skip and @include anywhere in the operation, sorted."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting: list[SelectionSetNode] = [operation.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            for directive in selection.directives or ():
                if directive.name.value in {"skip", "include"}:
                    for argument in directive.arguments or ():
                        if isinstance(argument.value, VariableNode):
                            found.add(argument.value.name.value)
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in seen:
                    seen.add(name)
                    waiting.append(fragments[name].selection_set)
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set is not None:
                waiting.append(selection.selection_set)
    return tuple(sorted(found))


def build_operation_shape(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    conditions: Mapping[str, bool],
    hidden: HiddenNames | None = None,
) -> ObjectShape:
    """The shape of the whole answer for one combination of condition values.

    The operation must be valid against the schema; `conditions` has a value for each of `condition_variables`.
    """
    root = schema.get_root_type(operation.operation)
    if root is None:
        raise InternalError(f"schema has no {operation.operation.value} type; validation should have refused this")
    builder = _Builder(schema, fragments, conditions, hidden or HiddenNames())
    return ObjectShape(
        nullable=True,
        type_name=root.name,
        is_abstract=False,
        fields_by_type={root.name: builder.fields(root, (operation.selection_set,), is_root=True)},
    )


@dataclass(slots=True)
class _Builder:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    conditions: Mapping[str, bool]
    hidden: HiddenNames
    known: dict[tuple[str, tuple[int, ...]], Mapping[str, tuple[FieldShape, ...]]] = field(default_factory=dict)

    def fields(
        self, object_type: _FieldsType, selection_sets: Iterable[SelectionSetNode], *, is_root: bool = False
    ) -> tuple[FieldShape, ...]:
        grouped: dict[str, list[FieldNode]] = {}
        for selection_set in selection_sets:
            self._collect(object_type, selection_set, grouped, set())
        return tuple(self._field(object_type, key, nodes, is_root) for key, nodes in grouped.items())

    def _field(self, parent: _FieldsType, key: str, nodes: list[FieldNode], is_root: bool) -> FieldShape:  # noqa: FBT001
        name = nodes[0].name.value
        coordinate = f"{parent.name}.{name}"
        if name == "__typename":
            return FieldShape(key, coordinate, None)
        if name in {"__schema", "__type"} and is_root:
            return FieldShape(key, coordinate, LeafShape(True, name, LeafKind.CUSTOM), introspection=True)  # noqa: FBT003
        return FieldShape(key, coordinate, self._value(parent.fields[name].type, nodes))

    def _value(self, type_: GraphQLOutputType, nodes: list[FieldNode]) -> ValueShape:
        nullable = not isinstance(type_, GraphQLNonNull)
        named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(named, GraphQLList):
            return ListShape(nullable, self._value(named.of_type, nodes))
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            is_abstract = not isinstance(named, GraphQLObjectType)
            fields_by_type = self._fields_by_type(named, nodes)
            return ObjectShape(
                nullable,
                named.name,
                is_abstract,
                fields_by_type,
                self._untyped(named, nodes, fields_by_type) if is_abstract else None,
                self.hidden.types,
            )
        if isinstance(named, GraphQLEnumType):
            hidden = self.hidden.enum_values.get(named.name, frozenset())
            return LeafShape(nullable, named.name, LeafKind.ENUM, frozenset(named.values), hidden)
        return LeafShape(nullable, named.name, _SCALAR_KINDS.get(named.name, LeafKind.CUSTOM))

    def _fields_by_type(
        self, type_: GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType, nodes: list[FieldNode]
    ) -> Mapping[str, tuple[FieldShape, ...]]:
        # The same nodes below many concrete types are compiled once: without this, nested abstract types multiply.
        key = (type_.name, tuple(map(id, nodes)))
        if key not in self.known:
            possible = [type_] if isinstance(type_, GraphQLObjectType) else self.schema.get_possible_types(type_)
            selection_sets = [node.selection_set for node in nodes if node.selection_set is not None]
            self.known[key] = {each.name: self.fields(each, selection_sets) for each in possible}
        return self.known[key]

    def _untyped(
        self, type_: GraphQLOutputType, nodes: list[FieldNode], fields_by_type: Mapping[str, tuple[FieldShape, ...]]
    ) -> tuple[FieldShape, ...] | None:
        choices = list(fields_by_type.values())
        if not choices and isinstance(type_, GraphQLInterfaceType):
            # No subgraph that clients can see implements the interface: all its objects come from interface objects.
            choices = [self.fields(type_, [node.selection_set for node in nodes if node.selection_set is not None])]
        if not choices or any(each.value is None for each in choices[0]):
            return None
        keys = [each.response_key for each in choices[0]]
        same = all([each.response_key for each in other] == keys for other in choices[1:])
        return choices[0] if same else None

    def _collect(
        self,
        object_type: _FieldsType,
        selection_set: SelectionSetNode,
        grouped: dict[str, list[FieldNode]],
        visited: set[str],
    ) -> None:
        for selection in selection_set.selections:
            if not self._is_included(selection):
                continue
            match selection:
                case FieldNode():
                    key = selection.alias.value if selection.alias else selection.name.value
                    grouped.setdefault(key, []).append(selection)
                case InlineFragmentNode():
                    condition = selection.type_condition
                    if condition is None or self._applies(condition.name.value, object_type):
                        self._collect(object_type, selection.selection_set, grouped, visited)
                case FragmentSpreadNode():
                    name = selection.name.value
                    if name in visited:
                        continue
                    visited.add(name)
                    fragment = self.fragments[name]
                    if self._applies(fragment.type_condition.name.value, object_type):
                        self._collect(object_type, fragment.selection_set, grouped, visited)
                case _:
                    raise InternalError(f"unknown selection {selection.kind}")

    def _applies(self, type_name: str, object_type: _FieldsType) -> bool:
        if type_name == object_type.name:
            return True
        type_ = self.schema.get_type(type_name)
        return isinstance(type_, GraphQLInterfaceType | GraphQLUnionType) and self.schema.is_sub_type(
            type_, object_type
        )

    def _is_included(self, selection: SelectionNode) -> bool:
        for directive in selection.directives or ():
            name = directive.name.value
            if name not in {"skip", "include"}:
                continue
            for argument in directive.arguments or ():
                if argument.name.value == "if" and self._truth(argument.value) == (name == "skip"):
                    return False
        return True

    def _truth(self, value: object) -> bool:
        match value:
            case VariableNode():
                return self.conditions[value.name.value]
            case BooleanValueNode():
                return value.value
            case _:
                raise InternalError("the `if` of @skip or @include is neither a Boolean nor a variable")


def clip_path(shape: ObjectShape, path: ResponsePathKeys) -> ResponsePathKeys:
    """The part of a path that leads through what the client asked for; subgraphs also tell of keys and requirements."""
    current: ValueShape | None = shape
    for index, key in enumerate(path):
        match current, key:
            case ListShape(), int():
                current = current.item
            case ObjectShape(), str():
                choices = current.fields_by_type.values()
                found = next((each for fields in choices for each in fields if each.response_key == key), None)
                if found is None:
                    return path[:index]
                current = found.value
            case _:
                return path[:index]
    return path
