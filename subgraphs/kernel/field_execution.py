"""Executes fields at a lower price than graphql-core's general way, with the same results.

The problem: graphql-core and strawberry build an info object, read the arguments from the document and convert them for
every field of every object, also for a thousand objects that share one selection. The idea: what depends on the field
alone is done once. A *plain* field, which only reads an attribute that is a leaf, is read and coerced at once; for a
*direct* field, whose resolver is a plain function, arguments are read once per execution and the function is called.

Whatever is unusual (a null where none is allowed, a value that can't be coerced, an argument that can't be read) goes
the general way, which knows how to say so. Limit: an input object given as an argument is one object for all calls;
resolvers must not change it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, Undefined
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental
from graphql.execution.values import get_argument_values
from graphql.type import GraphQLNonNull, is_leaf_type
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

__all__ = ["FieldExecutor", "prepare_fields"]

_PREPARED = "marquee-prepared"
_DEFINITION = "strawberry-definition"


@dataclass(frozen=True, slots=True)
class _PlainField:
    """An attribute that is a leaf."""

    attribute: str
    coerce: Callable[[Any], Any]
    is_nullable: bool


@dataclass(frozen=True, slots=True)
class _DirectField:
    """A resolver that is called without strawberry's extensions between."""

    definition: StrawberryField
    resolve: Callable[..., Any]
    takes_source: bool
    info_name: str | None
    scalar_registry: Any
    config: StrawberryConfig


def prepare_fields(schema: GraphQLSchema, scalar_registry: Any, config: StrawberryConfig) -> None:
    """Note on each field of a strawberry schema how `FieldExecutor` may execute it."""
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType):
            continue
        for field in type_.fields.values():
            definition = field.extensions.get(_DEFINITION)
            if isinstance(definition, StrawberryField):
                prepared = _plain(field, definition) or _direct(definition, scalar_registry, config)
                if prepared is not None:
                    field.extensions[_PREPARED] = prepared


def _plain(field: GraphQLField, definition: StrawberryField) -> _PlainField | None:
    is_nullable = not isinstance(field.type, GraphQLNonNull)
    leaf = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    if not definition.is_basic_field or field.args or not is_leaf_type(leaf):
        return None
    return _PlainField(definition.python_name, leaf.coerce_output_value, is_nullable)


def _direct(definition: StrawberryField, scalar_registry: Any, config: StrawberryConfig) -> _DirectField | None:
    resolver = definition.base_resolver
    if resolver is None or definition.extensions or definition.is_async:
        return None
    if resolver.parent_parameter is not None or resolver.root_parameter is not None:
        return None
    return _DirectField(
        definition=definition,
        resolve=resolver,
        takes_source=resolver.self_parameter is not None,
        info_name=None if resolver.info_parameter is None else resolver.info_parameter.name,
        scalar_registry=scalar_registry,
        config=config,
    )


class FieldExecutor(ExecutorThrowingOnIncremental):
    """graphql-core's executor for schemas that went through `prepare_fields`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._arguments_by_node: dict[int, dict[str, Any]] = {}

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, path: Any, position_context: None
    ) -> Any:
        """As the general way; see there."""
        details = field_details_list[0]
        name = details.node.name.value
        if name == "__typename":
            return parent_type.name
        field = parent_type.fields.get(name)
        prepared = None if field is None else field.extensions.get(_PREPARED)
        if type(prepared) is _PlainField:
            value = getattr(source, prepared.attribute, Undefined)
            if value is None and prepared.is_nullable:
                return None
            if value is not None and value is not Undefined:
                coerced = _coerced(prepared, value)
                if coerced is not None:
                    return coerced
        elif type(prepared) is _DirectField and field is not None and details.fragment_variable_values is None:
            return self._execute_direct(prepared, field, parent_type, source, field_details_list, path)
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def _execute_direct(  # noqa: PLR0917  # graphql-core's own parameters, handed on for every field of every object
        self,
        prepared: _DirectField,
        field: GraphQLField,
        parent_type: GraphQLObjectType,
        source: Any,
        details: Any,
        path: Any,
    ) -> Any:
        info = self.build_resolve_info(field, [each.node for each in details], parent_type, path)
        try:
            arguments = self._arguments(prepared, field, details[0], info)
            if prepared.info_name is not None:
                arguments = {**arguments, prepared.info_name: _strawberry_info(prepared, info)}
            result = prepared.resolve(source, **arguments) if prepared.takes_source else prepared.resolve(**arguments)
            if self.is_awaitable(result):
                return self.complete_awaitable_value(field.type, details, info, path, result, None)
            completed = self.complete_value(field.type, details, info, path, result, None)
        except Exception as error:  # noqa: BLE001  # a field's error, located and told as GraphQL says
            self.handle_field_error(error, field.type, details, path)
            return None
        if self.is_awaitable(completed):
            return self._awaited(completed, field, details, path)
        return completed

    async def _awaited(self, completed: Awaitable[Any], field: GraphQLField, details: Any, path: Any) -> Any:
        try:
            return await completed
        except Exception as error:  # noqa: BLE001  # a field's error, located and told as GraphQL says
            self.handle_field_error(error, field.type, details, path)
            return None

    def _arguments(
        self, prepared: _DirectField, field: GraphQLField, details: Any, info: GraphQLResolveInfo[Any]
    ) -> dict[str, Any]:
        """The resolver's keyword arguments: the same for one place of the document in one execution."""
        if not field.args:
            return {}
        known = self._arguments_by_node.get(id(details.node))
        if known is None:
            values = get_argument_values(field, details.node, self.variable_values, None, self.hide_suggestions)
            known = convert_arguments(
                values,
                prepared.definition.arguments,
                scalar_registry=prepared.scalar_registry,
                config=prepared.config,
                info=_strawberry_info(prepared, info),
            )
            self._arguments_by_node[id(details.node)] = known
        return known


def _coerced(prepared: _PlainField, value: Any) -> Any:
    """The coerced value, or None for one that can't be: the general way says why."""
    try:
        coerced = prepared.coerce(value)
    except Exception:  # noqa: BLE001  # raised again, and told, by the general way
        return None
    return None if coerced is Undefined else coerced


def _strawberry_info(prepared: _DirectField, info: GraphQLResolveInfo[Any]) -> Info:
    made: Info = prepared.config.info_class(_raw_info=info, _field=prepared.definition)
    return made
