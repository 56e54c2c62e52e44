"""The federated schema, and entity references that fail one by one.

`_entities` gets up to thousands of representations. Each goes to its type's `resolve_reference`, which may be async and
ask a loader, so that all of one type become one store query. A type whose key is `id` may have `resolve_references`
instead: it gets the ids of all its representations at once, which saves a coroutine for each.

A representation that is malformed, names an unknown type or fails yields null and an error at its own index; one whose
entity does not exist, or may not be seen, yields null without an error. Its neighbours are never touched, but for those
of one batch that fails as a whole.
"""

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import strawberry.federation
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, parse, specified_rules
from graphql import ExecutionResult as GraphQLExecutionResult
from graphql import execute as execute_document
from graphql.execution.values import VariableValues
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.federation.schema import FederationAny
from strawberry.federation.schema_directives import Key
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionResult, Info
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.execution import ExecutionContext

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.execution import (
    OperationPlan,
    Setting,
    SharedAnswers,
    VariableReader,
    condition_variables,
    execute_plan,
    operations_of,
    plan_operation,
)
from subgraphs.kernel.shared_objects import SharedObjects

__all__ = ["FEDERATION_VERSION", "MAX_REPRESENTATIONS", "FederatedSchema", "build_schema"]

FEDERATION_VERSION = "2.11"
MAX_REPRESENTATIONS = 5_000
"""Entities asked for in one `_entities` field."""
DOCUMENT_CACHE_SIZE = 1_000
"""Parsed and validated documents kept: the gateway sends the same few texts again and again."""
MAX_KEPT_QUERY_LENGTH = 32_768
"""Characters; longer texts are made for one request and would fill the memory."""
MAX_KEPT_CHARACTERS = 1_000_000
"""Of all texts together: a document and one plan of it take some 250 bytes a character, and clients write the texts."""
MAX_PLANS = 4
"""Kept for one operation; those that clients send have conditions that fall in one or two ways."""
MAX_QUERY_TOKENS = 20_000
MAX_CONDITIONS = 6
"""Variables of @skip and @include in a document that is planned; with more there may be too many plans of it."""

ReferenceResolver = Callable[[Info, Mapping[str, Any]], Any]
BatchResolver = Callable[[Info, Sequence[str]], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Representations of one type: the places at which they were asked for, and their ids."""

    resolve: BatchResolver
    places: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


class _Operation:
    """One operation of a valid document, and its plans: one for each way in which @skip and @include fall lately."""

    def __init__(self, setting: Setting, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self.read_variables = VariableReader(setting.schema, operation).read
        self._setting = setting
        self._document = document
        self._operation = operation
        self._conditions = condition_variables(document)
        self._plans: dict[tuple[bool, ...], OperationPlan | None] = {}

    def plan(self, variables: VariableValues) -> OperationPlan | None:
        """None for what is executed in the general way."""
        if len(self._conditions) > MAX_CONDITIONS:
            return None
        if any(variables.coerced.get(each, False) is None for each in self._conditions):
            # Null in the place of a default: graphql-core knows what to say.
            return None
        key = tuple(bool(variables.coerced.get(each)) for each in self._conditions)
        if key not in self._plans:
            conditions = dict(zip(self._conditions, key, strict=True))
            if len(self._plans) >= MAX_PLANS:
                self._plans.pop(next(iter(self._plans)))
            self._plans[key] = plan_operation(self._setting, self._document, self._operation, conditions)
        return self._plans[key]


class _Document:
    """A valid document with its operations."""

    def __init__(self, setting: Setting, document: DocumentNode, text_length: int) -> None:
        self.document = document
        self.text_length = text_length
        self._operations = {
            name: _Operation(setting, document, operation) for name, operation in operations_of(document).items()
        }

    def plan(self, name: str | None, given: dict[str, Any]) -> tuple[OperationPlan, VariableValues] | None:
        """How to execute the operation of this name, or the only one; None for what is executed in the general way."""
        operation = self._operations.get(name)
        variables = None if operation is None else operation.read_variables(given)
        if operation is None or not isinstance(variables, VariableValues):
            return None
        plan = operation.plan(variables)
        return None if plan is None else (plan, variables)


@dataclass(frozen=True, slots=True)
class _Invalid:
    """What is wrong with a document."""

    errors: tuple[GraphQLError, ...]
    text_length: int


_Known: TypeAlias = _Document | _Invalid


class FederatedSchema(strawberry.federation.Schema):
    """strawberry's federation schema with safe entity references; make it with `build_schema`."""

    def __init__(self, *, max_query_tokens: int, **options: Any) -> None:
        self._resolvers: dict[str, ReferenceResolver] = {}
        self._batch_resolvers: dict[str, BatchResolver] = {}
        self._max_query_tokens = max_query_tokens
        self._documents = SharedObjects[_Known](
            most=DOCUMENT_CACHE_SIZE, most_weight=MAX_KEPT_CHARACTERS, weigh=lambda known: known.text_length
        )

        # A function of its own for each schema: strawberry writes the return type into its annotations, and two schemas
        # in one process would otherwise write into the same ones.
        def entities_resolver(info: Info, representations: list[FederationAny]) -> list[FederationAny]:
            # Or an awaitable of them, which strawberry takes as well and can't be told.
            return self._resolve_all(info, representations)  # type: ignore[no-any-return]

        self.entities_resolver = entities_resolver  # type: ignore[method-assign]
        super().__init__(**options)
        self._resolvers.update(_reference_resolvers(self))
        self._batch_resolvers.update(_batch_resolvers(self))
        self._setting = Setting(self._schema, self.schema_converter.scalar_registry, self.config)

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        *_unused: Any,
        kept: SharedAnswers | None = None,
        **_unused_by_name: Any,
    ) -> ExecutionResult:
        """Run one operation. With `kept`, parts of the result's data may be `orjson.Fragment`s.

        strawberry's own way prepares its extensions for every request, which costs more than small operations; there
        are none here, and a known text is neither parsed, validated nor planned again.
        """
        text = query or ""
        try:
            known = self._documents.get(text) or self._read_document(text)
        except GraphQLError as error:
            return ExecutionResult(data=None, errors=[error])
        if not isinstance(known, _Document):
            return ExecutionResult(data=None, errors=list(known.errors))
        planned = known.plan(operation_name, variable_values or {})
        if planned is None:
            result = await self._execute_generally(
                known.document, root_value, context_value, variable_values, operation_name
            )
        else:
            result = await execute_plan(*planned, context_value, root_value, kept)
        return ExecutionResult(data=result.data, errors=result.errors)

    async def _execute_generally(
        self, document: DocumentNode, root: Any, context: Any, variables: dict[str, Any] | None, name: str | None
    ) -> GraphQLExecutionResult:
        """By graphql-core itself: introspection, and what is wrong with the operation as a whole."""
        outcome = execute_document(
            self._schema,
            document,
            root_value=root,
            context_value=context,
            variable_values=variables,
            operation_name=name,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # it is the guard, typed as bool
        )
        return await outcome if isinstance(outcome, Awaitable) else outcome

    def _read_document(self, text: str) -> _Known:
        """The document, or what is wrong with it, kept; raises GraphQLError when it can't be parsed."""
        document = parse(text, max_tokens=self._max_query_tokens)
        errors = tuple(validate_document(self._schema, document, tuple(specified_rules)))
        known = _Invalid(errors, len(text)) if errors else _Document(self._setting, document, len(text))
        return self._documents.put(text, known) if len(text) <= MAX_KEPT_QUERY_LENGTH else known

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: the app factory logs what is unexpected, once, with the request id."""

    def _resolve_all(self, info: Info, representations: list[Any]) -> Any:
        """The entities, or an awaitable of them."""
        if len(representations) > MAX_REPRESENTATIONS:
            raise ServiceError(
                ErrorKind.INVALID_ARGUMENT,
                f"{len(representations)} representations; send at most {MAX_REPRESENTATIONS} at once",
            )
        batches: dict[str, _Batch] = {}
        resolved: list[Any] = []
        known = self._batch_resolvers
        for index, representation in enumerate(representations):
            if isinstance(representation, dict):
                type_name, key = representation.get("__typename"), representation.get("id")
                if isinstance(type_name, str) and isinstance(key, str) and type_name in known:
                    batch = batches.get(type_name)
                    if batch is None:
                        batch = batches[type_name] = _Batch(known[type_name])
                    batch.places.append(index)
                    batch.keys.append(key)
                    resolved.append(None)
                    continue
            resolved.append(self._resolve_one(info, representation))
        return _with_batches(info, resolved, batches.values()) if batches else resolved

    def _resolve_one(self, info: Info, representation: Any) -> Any:
        """The entity, an awaitable of it, None, or the exception that belongs to this representation."""
        if not isinstance(representation, dict):
            return _bad_representation(f"a representation is an object, got {type(representation).__name__}")
        type_name = representation.get("__typename")
        if isinstance(type_name, str) and type_name in self._batch_resolvers:
            return _bad_representation(f"a {type_name} representation lacks id")
        resolver = self._resolvers.get(type_name) if isinstance(type_name, str) else None
        if resolver is None:
            known = ", ".join(sorted(self._resolvers))
            return _bad_representation(f"__typename is {type_name!r}, which is no entity here; known are {known}")
        try:
            return resolver(info, representation)
        except Exception as error:  # noqa: BLE001  # handed on as this index's error, not lost
            return error


def build_schema(
    *, query: type, mutation: type | None = None, types: Iterable[type] = (), max_query_tokens: int = MAX_QUERY_TOKENS
) -> FederatedSchema:
    """A subgraph's schema: federation 2.11, documents that are kept, safe entities.

    Raises TypeError when an entity type has no `resolve_reference`.
    """
    return FederatedSchema(
        query=query,
        mutation=mutation,
        types=types,
        federation_version=FEDERATION_VERSION,
        max_query_tokens=max_query_tokens,
    )


def _bad_representation(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": ErrorKind.INVALID_ARGUMENT.value})


async def _with_batches(info: Info, resolved: list[Any], batches: Collection[_Batch]) -> list[Any]:
    """`resolved` with the batches' entities at their places; what a batch raises belongs to each of its places."""
    for batch in batches:
        try:
            found = await batch.resolve(info, batch.keys)
            entities = list(zip(batch.places, found, strict=True))
        except Exception as error:  # noqa: BLE001  # handed on as the error of these places, not lost
            entities = [(place, error) for place in batch.places]
        for place, entity in entities:
            resolved[place] = entity
    return resolved


def _entity_types(schema: FederatedSchema) -> Iterator[tuple[str, type, list[Key]]]:
    """Every type that has a key, under the name that representations have."""
    for type_name, concrete in schema.schema_converter.type_map.items():
        definition = concrete.definition
        if not isinstance(definition, StrawberryObjectDefinition):
            continue
        keys = [directive for directive in definition.directives or () if isinstance(directive, Key)]
        if any(_is_resolvable(key) for key in keys):
            yield type_name, definition.origin, keys


def _batch_resolvers(schema: FederatedSchema) -> Iterator[tuple[str, BatchResolver]]:
    for type_name, origin, keys in _entity_types(schema):
        references = getattr(origin, "resolve_references", None)
        if references is not None:
            if [str(key.fields) for key in keys] != ["id"]:
                raise TypeError(f"entity type {type_name} has resolve_references, which is for types whose key is id")
            yield type_name, references


def _reference_resolvers(schema: FederatedSchema) -> Iterator[tuple[str, ReferenceResolver]]:
    for type_name, origin, _ in _entity_types(schema):
        if hasattr(origin, "resolve_references"):
            continue
        reference = getattr(origin, "resolve_reference", None)
        if reference is None:
            raise TypeError(f"entity type {type_name} has a key and no resolve_reference; give it one")
        yield type_name, _reference_resolver(type_name, reference)


def _is_resolvable(key: Key) -> bool:
    return key.resolvable is not False


def _reference_resolver(type_name: str, reference: Callable[..., Any]) -> ReferenceResolver:
    """Adapts `resolve_reference(info, <key fields>)`: other fields of a representation are left out.

    A parameter named `representation` gets the whole representation, for keys or required fields that are objects.
    """
    parameters = inspect.signature(reference).parameters
    wants_info, wants_whole = "info" in parameters, "representation" in parameters
    names = [name for name in parameters if name not in {"info", "representation"}]
    required = [name for name in names if parameters[name].default is inspect.Parameter.empty]

    def resolve(info: Info, representation: Mapping[str, Any]) -> Any:
        missing = [name for name in required if representation.get(name) is None]
        if missing:
            return _bad_representation(f"a {type_name} representation lacks {', '.join(missing)}")
        arguments = {name: representation[name] for name in names if name in representation}
        if wants_info:
            arguments["info"] = info
        if wants_whole:
            arguments["representation"] = representation
        return reference(**arguments)

    return resolve
