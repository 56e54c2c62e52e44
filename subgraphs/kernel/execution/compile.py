"""From a document to plans: which fields an object of a type gives, and how each is read and completed.

The problem: graphql-core and strawberry find out for every field of every object anew what they execute: they collect
the fields, build an info object, read the arguments, convert them, ask what the value's type is. The idea: all of that
depends on the place in the document and on the object's class alone. It is done once per document, where a place is
first met, and kept with it.

A field is *plain* when it only reads an attribute that is a leaf, *direct* when its resolver can be called without
strawberry's extensions between, and *general* otherwise; general fields are resolved as graphql-core does it. A direct
field whose class has a class method `<field>_of_all(info, objects, …)` is *batched*: one call for all objects that come
to be asked in the same turn of the event loop, wherever in the document that is when the field has no arguments.

Where objects live longer than a request, the plan of a place says which of its fields answer the same for each request
that has the same key (`sharing.py`).

Limits: an input object given as an argument is one object for all calls, which resolvers must not change; and the info
that a direct resolver gets is one for all objects of its place, so its `path` is that of the first. Introspection and
what needs its own executor (@defer, subscriptions) are not planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import groupby
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.language import DirectiveNode, FragmentSpreadNode, InlineFragmentNode
from graphql.type import (
    GraphQLAbstractType,
    GraphQLNonNull,
    GraphQLOutputType,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types.field import StrawberryField

from subgraphs.kernel.execution.arguments import ArgumentReader, variables_in
from subgraphs.kernel.execution.leaves import leaf_writer
from subgraphs.kernel.execution.sharing import Dependency, ShareKey, are_objects_shared, dependencies_of

__all__ = [
    "FieldKind",
    "FieldPlan",
    "ListOf",
    "ObjectOf",
    "ObjectPlan",
    "OperationPlan",
    "Setting",
    "SharedFields",
    "ValueOf",
    "plan_operation",
]

_DEFINITION = "strawberry-definition"
_UNPLANNED_DIRECTIVES = frozenset({"defer", "stream"})
_INTROSPECTION = frozenset({"__schema", "__type"})
_WORTH_KEEPING = 4
"""Plain fields, or one of another kind: reading fewer costs no more than looking for what is kept."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What plans of one schema share."""

    schema: GraphQLSchema
    scalar_registry: Any
    config: StrawberryConfig


class FieldKind(IntEnum):
    """How a field is read."""

    TYPE_NAME = 0
    PLAIN = 1
    DIRECT = 2
    GENERAL = 3


@dataclass(frozen=True, slots=True)
class LeafOf:
    """A value that is a leaf; `write` raises for one that does not fit."""

    is_nullable: bool
    write: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of what `item` says."""

    is_nullable: bool
    item: ValueOf


@dataclass(slots=True)
class ObjectOf:
    """An object, or what is one of several object types: `declared` is the type that the schema names.

    `plans`: by object type, made when the first object of a type is met. `known`: the same by Python class, for classes
    that tell their type by themselves.
    """

    is_nullable: bool
    operation: OperationPlan
    nodes: tuple[FieldNode, ...]
    declared: GraphQLObjectType | GraphQLAbstractType
    is_abstract: bool
    plans: dict[str, ObjectPlan] = field(default_factory=dict)
    known: dict[type, ObjectPlan] = field(default_factory=dict)

    def possible_types(self) -> Sequence[GraphQLObjectType]:
        """Those that an object may be of."""
        if isinstance(self.declared, GraphQLObjectType):
            return [self.declared]
        return self.operation.setting.schema.get_possible_types(self.declared)

    def plan_of(self, object_type: GraphQLObjectType) -> ObjectPlan:
        """The plan for objects of this type."""
        found = self.plans.get(object_type.name)
        if found is None:
            fields = self.operation.plan_fields(
                object_type, [node.selection_set for node in self.nodes if node.selection_set is not None]
            )
            definition = object_type.extensions.get(_DEFINITION)
            is_shared = definition is not None and are_objects_shared(definition.origin)
            found = self.plans[object_type.name] = ObjectPlan(fields, _shared_fields(fields) if is_shared else None)
        return found


ValueOf = LeafOf | ListOf | ObjectOf


@dataclass(slots=True)
class FieldPlan:
    """One field at one place of the document, on one object type.

    `place` numbers it within its operation. `attribute` and `write` are for plain fields, `resolve` and what follows
    for direct ones: whether it takes the object, and the name by which it takes an info, if any.
    """

    key: str
    kind: FieldKind
    place: int
    parent_type: GraphQLObjectType
    definition: GraphQLField
    nodes: tuple[FieldNode, ...]
    value: ValueOf
    attribute: str = ""
    write: Callable[[Any], Any] | None = None
    strawberry_field: StrawberryField | None = None
    resolve: Callable[..., Any] | None = None
    takes_source: bool = False
    info_name: str | None = None
    arguments: ArgumentReader | None = None
    batch: Callable[..., Any] | None = None

    @property
    def coordinate(self) -> str:
        """For messages: `Type.field`."""
        return f"{self.parent_type.name}.{self.nodes[0].name.value}"


@dataclass(frozen=True, slots=True)
class SharedFields:
    """Which fields of a place answer the same for all requests with one key.

    `own` are the others. `runs` are all of them in order, by turns: (whether they are shared, fields).
    """

    key: ShareKey
    own: tuple[FieldPlan, ...]
    runs: tuple[tuple[bool, tuple[FieldPlan, ...]], ...]


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What a place of a document asks of objects of one type; `shared` is None where nothing of it is kept."""

    fields: tuple[FieldPlan, ...]
    shared: SharedFields | None


class OperationPlan:
    """One operation of one document, with the truth of its @skip and @include conditions."""

    def __init__(
        self,
        setting: Setting,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        conditions: Mapping[str, bool],
    ) -> None:
        self.setting = setting
        self.operation = operation
        self.fragments = dict(fragments)
        self.is_serial = operation.operation is OperationType.MUTATION
        self._conditions = conditions
        self._place_count = 0
        root = setting.schema.get_root_type(operation.operation)
        assert root is not None, "a validated operation has a root type"
        self.root_type = root
        self.root_fields = self.plan_fields(root, [operation.selection_set])

    def plan_fields(
        self, object_type: GraphQLObjectType, selections: Sequence[SelectionSetNode]
    ) -> tuple[FieldPlan, ...]:
        """The fields that these selection sets ask of a type together, in the order of their first mention."""
        found: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selection_set in selections:
            self._collect(object_type, selection_set.selections, found, visited)
        return tuple(self._plan_field(object_type, key, tuple(nodes)) for key, nodes in found.items())

    def _collect(
        self,
        object_type: GraphQLObjectType,
        selections: Sequence[SelectionNode],
        found: dict[str, list[FieldNode]],
        visited: set[str],
    ) -> None:
        for selection in selections:
            if not self._is_included(selection.directives or ()):
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                found.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or self._applies(condition.name.value, object_type):
                    self._collect(object_type, selection.selection_set.selections, found, visited)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in visited:
                visited.add(selection.name.value)
                fragment = self.fragments[selection.name.value]
                if self._applies(fragment.type_condition.name.value, object_type):
                    self._collect(object_type, fragment.selection_set.selections, found, visited)

    def _applies(self, type_name: str, object_type: GraphQLObjectType) -> bool:
        if type_name == object_type.name:
            return True
        condition = self.setting.schema.get_type(type_name)
        return is_abstract_type(condition) and self.setting.schema.is_sub_type(condition, object_type)

    def _is_included(self, directives: Sequence[DirectiveNode]) -> bool:
        for directive in directives:
            if directive.name.value in {"skip", "include"}:
                (argument,) = directive.arguments or ()
                value = argument.value
                is_true = (
                    self._conditions[value.name.value]
                    if isinstance(value, VariableNode)
                    else bool(getattr(value, "value", False))
                )
                if is_true is (directive.name.value == "skip"):
                    return False
        return True

    def _plan_field(self, parent: GraphQLObjectType, key: str, nodes: tuple[FieldNode, ...]) -> FieldPlan:
        name, self._place_count = nodes[0].name.value, self._place_count + 1
        definition = self.setting.schema.get_field(parent, name)
        assert definition is not None, "a validated operation names fields that exist"
        value = self._plan_value(definition.type, nodes)
        plan = FieldPlan(key, FieldKind.GENERAL, self._place_count, parent, definition, nodes, value)
        if name == "__typename":
            plan.kind = FieldKind.TYPE_NAME
            return plan
        known = definition.extensions.get(_DEFINITION)
        if isinstance(known, StrawberryField):
            self._choose_kind(plan, known)
        return plan

    def _choose_kind(self, plan: FieldPlan, known: StrawberryField) -> None:
        """Plain or direct, where the field allows it."""
        plan.strawberry_field = known
        if known.is_basic_field and not plan.definition.args and isinstance(plan.value, LeafOf):
            plan.kind, plan.attribute, plan.write = FieldKind.PLAIN, known.python_name, plan.value.write
            return
        if known.is_basic_field and not plan.definition.args and not known.extensions:
            plan.kind, plan.attribute = FieldKind.DIRECT, known.python_name
            return
        resolver = known.base_resolver
        if resolver is None or known.extensions:
            return
        if resolver.parent_parameter is not None or resolver.root_parameter is not None:
            return
        # A method is kept as the function that it is: it gets its object by position.
        plan.kind, plan.resolve = FieldKind.DIRECT, cast("Callable[..., Any]", resolver.wrapped_func)
        plan.takes_source = resolver.self_parameter is not None
        plan.info_name = None if resolver.info_parameter is None else resolver.info_parameter.name
        if plan.definition.args:
            setting = self.setting
            plan.arguments = ArgumentReader(
                plan.definition, plan.nodes[0], known.arguments, setting.scalar_registry, setting.config
            )
        batch: Any = getattr(known.origin, f"{known.python_name}_of_all", None)
        plan.batch = batch

    def _plan_value(self, declared: GraphQLOutputType, nodes: tuple[FieldNode, ...]) -> ValueOf:
        is_nullable = not isinstance(declared, GraphQLNonNull)
        type_ = declared.of_type if isinstance(declared, GraphQLNonNull) else declared
        if is_list_type(type_):
            return ListOf(is_nullable, self._plan_value(type_.of_type, nodes))
        if is_leaf_type(type_):
            return LeafOf(is_nullable, leaf_writer(type_))
        assert is_composite_type(type_), "a type that is neither list nor leaf has fields"
        return ObjectOf(is_nullable, self, nodes, type_, is_abstract_type(type_))


def plan_operation(
    setting: Setting, document: DocumentNode, operation: OperationDefinitionNode, conditions: Mapping[str, bool]
) -> OperationPlan | None:
    """The plan of a validated document's operation; None for one that has to be executed in the general way.

    `conditions`: the values of the variables that `condition_variables` names.
    """
    if operation.operation is OperationType.SUBSCRIPTION or _needs_general_way(document):
        return None
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    return OperationPlan(setting, operation, fragments, conditions)


def operations_of(document: DocumentNode) -> dict[str | None, OperationDefinitionNode]:
    """A document's operations by name; a single one under None as well, as it is meant when none is named."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    named: dict[str | None, OperationDefinitionNode] = {
        each.name.value: each for each in operations if each.name is not None
    }
    return named | {None: operations[0]} if len(operations) == 1 else named


def condition_variables(document: DocumentNode) -> tuple[str, ...]:
    """Names of the variables on which it depends what is executed, in order."""
    found = {
        value.name.value
        for selection in _all_selections(document)
        for directive in selection.directives or ()
        if directive.name.value in {"skip", "include"}
        for value in (argument.value for argument in directive.arguments or ())
        if isinstance(value, VariableNode)
    }
    return tuple(sorted(found))


def _needs_general_way(document: DocumentNode) -> bool:
    return any(
        (isinstance(selection, FieldNode) and selection.name.value in _INTROSPECTION)
        or any(directive.name.value in _UNPLANNED_DIRECTIVES for directive in selection.directives or ())
        for selection in _all_selections(document)
    )


def _all_selections(document: DocumentNode) -> Iterator[SelectionNode]:
    waiting = [
        definition.selection_set
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    while waiting:
        for selection in waiting.pop().selections:
            yield selection
            inner: SelectionSetNode | None = getattr(selection, "selection_set", None)
            if inner is not None:
                waiting.append(inner)


def _shared_fields(fields: Sequence[FieldPlan]) -> SharedFields | None:
    """Of an object that lives longer than a request; None where too little of it is the same for each."""
    depends_on: dict[Dependency, None] = {}
    variables: dict[str, None] = {}
    worth = 0
    kinds: list[bool] = []
    for plan in fields:
        found = _dependencies(plan)
        kinds.append(found is not None)
        if found is not None:
            depends_on |= dict.fromkeys(found.depends_on)
            variables |= dict.fromkeys(found.variables)
            worth += 1 if plan.kind in {FieldKind.PLAIN, FieldKind.TYPE_NAME} else _WORTH_KEEPING
    if worth < _WORTH_KEEPING:
        return None
    runs = tuple(
        (is_shared, tuple(plan for plan, _ in run))
        for is_shared, run in groupby(zip(fields, kinds, strict=True), key=lambda each: each[1])
    )
    own = tuple(plan for plan, is_shared in zip(fields, kinds, strict=True) if not is_shared)
    return SharedFields(ShareKey.of_new_place(tuple(depends_on), tuple(variables)), own, runs)


@dataclass(frozen=True, slots=True)
class _Dependencies:
    """What a field's answer depends on besides its object."""

    depends_on: tuple[Dependency, ...] = ()
    variables: tuple[str, ...] = ()


def _dependencies(plan: FieldPlan) -> _Dependencies | None:
    """None where the answer may be another one for each request, in the field itself or anywhere below it."""
    if plan.kind in {FieldKind.PLAIN, FieldKind.TYPE_NAME}:
        return _Dependencies()
    if plan.kind is not FieldKind.DIRECT or plan.batch is not None:
        return None
    assert plan.strawberry_field is not None, "a direct field is one of strawberry's"
    told = () if plan.resolve is None else dependencies_of(plan.strawberry_field.metadata)
    below = None if told is None else _dependencies_below(plan.value)
    if told is None or below is None:
        return None
    variables = [name for node in plan.nodes[:1] for name in variables_in(node.arguments or ())]
    return _Dependencies((*told, *below.depends_on), (*variables, *below.variables))


def _dependencies_below(value: ValueOf) -> _Dependencies | None:
    if isinstance(value, ListOf):
        return _dependencies_below(value.item)
    if isinstance(value, LeafOf):
        return _Dependencies()
    # Any of the types may be met.
    found = [_dependencies(plan) for type_ in value.possible_types() for plan in value.plan_of(type_).fields]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None
    return _Dependencies(
        tuple(name for each in known for name in each.depends_on),
        tuple(name for each in known for name in each.variables),
    )
