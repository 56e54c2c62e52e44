"""Carries an operation's plan out: walks the plans with the objects, waits for what has to be waited for, in turns.

An object's fields are read in order. A value that has to be waited for leaves its place in the answer empty and is
noted; when everything else is there, all that were noted are waited for together, each going on below as soon as it is
there. A *slot* is the place that becomes null when something below it fails where null is not allowed: the nearest
nullable field or list item above.

With `kept`, places whose answer is the same for each request (`sharing.py`) are `orjson.Fragment`s in the data.

Invariants, held by tests/subgraphs/kernel/ against graphql-core: equal data, and errors that make the same places null;
nothing is told of what lies below a place that an earlier error made null. Where several things fail below one such
place, what is told is the first of them, which need not be graphql-core's first when they are awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLObjectType, GraphQLResolveInfo, Undefined
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Path, inspect, is_iterable
from graphql.type import GraphQLAbstractType, is_object_type
from graphql.type.definition import GraphQLResolveInfoHelpers
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.types import Info

from subgraphs.kernel.execution.compile import (
    FieldKind,
    FieldPlan,
    ListOf,
    ObjectOf,
    ObjectPlan,
    OperationPlan,
    SharedFields,
    ValueOf,
)
from subgraphs.kernel.execution.places import Failed, Place, Slot, keys_of, locate
from subgraphs.kernel.execution.sharing import SharedAnswers

__all__ = ["execute_plan"]

_TYPE_NAME, _PLAIN, _DIRECT = FieldKind.TYPE_NAME, FieldKind.PLAIN, FieldKind.DIRECT
_NEVER_AWAITABLE: Mapping[type, bool] = dict.fromkeys((type(None), bool, int, float, str, list, tuple, dict), True)
_SLOT_BYTES = 100
"""A place in a dictionary, and what small objects take besides their content."""

_HELPERS = GraphQLResolveInfoHelpers(asyncio.gather, lambda _: None)  # type: ignore[arg-type]  # of no use to resolvers


@dataclass(slots=True)
class _Pending:
    """A field that is waited for; `container[key]` is its place in the answer, `slot` the one of its failure."""

    plan: FieldPlan
    value: ValueOf
    source: Any
    awaitable: Awaitable[Any] | None
    container: dict[str, Any] | list[Any]
    key: Any
    place: Place
    slot: Slot


async def execute_plan(
    plan: OperationPlan, variables: VariableValues, context: Any, root: Any, kept: SharedAnswers | None = None
) -> ExecutionResult:
    """The answer of a planned operation; its data is for orjson alone when there are kept answers."""
    return await _Execution(plan, variables, context, root, kept).run()


@dataclass(slots=True)
class _Execution:
    """One run."""

    plan: OperationPlan
    variables: VariableValues
    context: Any
    root: Any
    kept: SharedAnswers | None
    errors: list[GraphQLError] = field(default_factory=list)
    nulled: set[tuple[Any, ...]] = field(default_factory=set)
    pending: list[_Pending] = field(default_factory=list)
    infos: dict[int, GraphQLResolveInfo[Any]] = field(default_factory=dict)
    arguments: dict[int, dict[str, Any]] = field(default_factory=dict)
    batches: dict[object, tuple[list[_Pending], asyncio.Task[None]]] = field(default_factory=dict)
    share_keys: dict[int, tuple[Hashable, ...] | None] = field(default_factory=dict)
    failure_count: int = 0
    has_failed: bool = False

    async def run(self) -> ExecutionResult:
        data: dict[str, Any] = {}
        slot: Slot = (None, None, ())
        groups = [(each,) for each in self.plan.root_fields] if self.plan.is_serial else [self.plan.root_fields]
        try:
            for fields in groups:
                self._fill(data, fields, self.root, (), slot)
                await self._settle()
                if self.has_failed:
                    break  # Nothing is left to answer, and the mutations behind must not happen either.
        except Failed as failed:
            self._fail(failed.error, slot)
            await self._settle()
        return ExecutionResult(None if self.has_failed else data, self.errors or None)

    # --- objects and values ----------------------------------------------------------------------------------

    def _fill(
        self, result: dict[str, Any], fields: Sequence[FieldPlan], source: Any, place: Any, slot: Slot
    ) -> dict[str, Any]:
        """The fields of an object into `result`; raises Failed where one is null that may not be."""
        for plan in fields:
            kind = plan.kind
            if kind is _PLAIN:
                try:
                    value = getattr(source, plan.attribute, Undefined)
                    if value is None and plan.value.is_nullable:
                        result[plan.key] = None
                        continue
                    if value is not None and value is not Undefined and plan.write is not None:
                        result[plan.key] = plan.write(value)
                        continue
                except Exception as error:  # noqa: BLE001  # told below as GraphQL says
                    self._not_there(plan, error, (place, plan.key))
                    result[plan.key] = None
                    continue
                result[plan.key] = self._general(plan, source, result, place, slot)
            elif kind is _TYPE_NAME:
                result[plan.key] = plan.parent_type.name
            elif kind is _DIRECT:
                result[plan.key] = self._direct(plan, source, result, place, slot)
            else:
                result[plan.key] = self._general(plan, source, result, place, slot)
        return result

    def _direct(self, plan: FieldPlan, source: Any, result: dict[str, Any], place: Any, slot: Slot) -> Any:
        here = (place, plan.key)
        if plan.value.is_nullable:
            slot = (result, plan.key, here)
        if plan.batch is not None:
            self.pending.append(_Pending(plan, plan.value, source, None, result, plan.key, here, slot))
            return None
        try:
            if plan.resolve is None:
                value = getattr(source, plan.attribute)
            elif plan.info_name is None and plan.arguments is None:
                value = plan.resolve(source) if plan.takes_source else plan.resolve()
            else:
                arguments = self._arguments_of(plan, here)
                value = plan.resolve(source, **arguments) if plan.takes_source else plan.resolve(**arguments)
            if value.__class__ not in _NEVER_AWAITABLE and optimized_is_awaitable(value):
                self.pending.append(_Pending(plan, plan.value, source, value, result, plan.key, here, slot))
                return None
            return self._complete(plan, plan.value, value, here, slot)
        except Exception as error:  # noqa: BLE001  # a field's error, told as GraphQL says
            self._not_there(plan, error, here)
            return None

    def _general(self, plan: FieldPlan, source: Any, result: dict[str, Any], place: Any, slot: Slot) -> Any:
        here = (place, plan.key)
        if plan.value.is_nullable:
            slot = (result, plan.key, here)
        definition, node = plan.definition, plan.nodes[0]
        try:
            info = self._make_info(plan, here)
            given = get_argument_values(definition, node, self.variables) if definition.args else {}
            assert definition.resolve is not None, "every field of a strawberry schema has a resolver"
            value = definition.resolve(source, info, **given)
            if optimized_is_awaitable(value):
                self.pending.append(_Pending(plan, plan.value, source, value, result, plan.key, here, slot))
                return None
            return self._complete(plan, plan.value, value, here, slot)
        except Exception as error:  # noqa: BLE001  # a field's error, told as GraphQL says
            self._not_there(plan, error, here)
            return None

    def _complete(self, plan: FieldPlan, value_of: ValueOf, value: Any, place: Place, slot: Slot) -> Any:
        """A resolver's value as the answer has it; raises what is wrong with it."""
        if value is None or value is Undefined:
            if value_of.is_nullable:
                return None
            raise TypeError(f"Cannot return null for non-nullable field {plan.coordinate}.")
        if isinstance(value_of, ObjectOf):
            return self._complete_object(plan, value_of, value, place, slot)
        if isinstance(value, Exception):
            raise value
        if isinstance(value_of, ListOf):
            return self._complete_list(plan, value_of, value, place, slot)
        return value_of.write(value)

    def _complete_list(self, plan: FieldPlan, value_of: ListOf, value: Any, place: Place, slot: Slot) -> list[Any]:
        if value.__class__ is not list and not is_iterable(value):
            raise GraphQLError(f"Expected Iterable, but did not find one for field '{plan.coordinate}'.")
        completed: list[Any] = []
        item_of, is_nullable, known = value_of.item, value_of.item.is_nullable, _known_classes(value_of.item)
        items: Iterator[Any] = iter(value)
        for index, item in enumerate(items):
            here = (place, index)
            item_slot = (completed, index, here) if is_nullable else slot
            completed.append(None)
            of_class = known.get(item.__class__)
            if of_class is None and optimized_is_awaitable(item):
                self.pending.append(_Pending(plan, item_of, None, item, completed, index, here, item_slot))
                continue
            try:
                completed[index] = (
                    self._fill_object(of_class, item, here, item_slot)
                    if isinstance(of_class, ObjectPlan)
                    else self._complete(plan, item_of, item, here, item_slot)
                )
            except Exception as error:  # an item's error, told as GraphQL says
                located = locate(plan, error, here)
                if not is_nullable:
                    self._note_the_rest(plan, item_of, items, here, slot)
                    raise Failed(located) from error
                self._add_error(located, here)
        return completed

    def _note_the_rest(self, plan: FieldPlan, item_of: ValueOf, items: Iterator[Any], place: Place, slot: Slot) -> None:
        """Of a list that failed at `place`: what was begun is waited for, as it is beside a field that failed."""
        for item in items:
            if optimized_is_awaitable(item):
                self.pending.append(_Pending(plan, item_of, None, item, {}, None, place, slot))

    def _complete_object(self, plan: FieldPlan, value_of: ObjectOf, value: Any, place: Place, slot: Slot) -> Any:
        known = value_of.known.get(value.__class__)
        if known is None:
            if isinstance(value, Exception):
                raise value
            known = self._plan_of(plan, value_of, value)
        return self._fill_object(known, value, place, slot)

    def _plan_of(self, plan: FieldPlan, value_of: ObjectOf, value: Any) -> ObjectPlan:
        """The plan for the object's type; remembered for classes whose objects are all of one type."""
        info = self.infos.get(plan.place) or self._make_info(plan, ())
        declared, schema = value_of.declared, self.plan.setting.schema
        if value_of.is_abstract:
            assert not isinstance(declared, GraphQLObjectType)
            object_type = _runtime_type(plan, declared, value, info)
        else:
            assert isinstance(declared, GraphQLObjectType)
            object_type = declared
        if object_type.is_type_of is not None and not object_type.is_type_of(value, info):
            raise GraphQLError(
                f"Expected value of type '{object_type.name}' but got: {inspect(value)}.", list(plan.nodes)
            )
        found = value_of.plan_of(object_type)
        definition = getattr(value.__class__, "__strawberry_definition__", None)
        if definition is not None and definition.origin is value.__class__ and definition.concrete_of is None:
            known = schema.get_type(definition.name)
            if known is object_type:
                value_of.known[value.__class__] = found
                return found
        # Whatever else stands for the type may live as it likes.
        return ObjectPlan(found.fields, None)

    # --- what is the same for many requests ------------------------------------------------------------------

    def _fill_object(self, plan: ObjectPlan, source: Any, place: Place, slot: Slot) -> Any:
        """The object's fields, or what is kept of them; what is not, but can be, is kept."""
        shared, kept = plan.shared, self.kept
        if shared is None or kept is None:
            return self._fill({}, plan.fields, source, place, slot)
        number = shared.key.number
        if number in self.share_keys:
            key = self.share_keys[number]
        else:
            key = self.share_keys[number] = shared.key.read(self.context, self.variables.coerced)
        if key is None:
            return self._fill({}, plan.fields, source, place, slot)
        known = kept.get(source, key)
        if known is None:
            return self._fill_and_keep(shared, key, source, place, slot)
        return self._fill(dict(known), shared.own, source, place, slot) if shared.own else known

    def _fill_and_keep(
        self, shared: SharedFields, key: tuple[Hashable, ...], source: Any, place: Place, slot: Slot
    ) -> Any:
        """What is kept is JSON: of the whole object or, where it has fields of its own, of each field.

        Nothing is when anything of it failed, which raises or is counted, or has to be waited for.
        """
        kept, result, is_certain = self.kept, dict[str, Any](), True
        assert kept is not None
        for is_shared, fields in shared.runs:
            before = (self.failure_count, len(self.pending))
            # What lies within what is kept is not kept a second time by itself.
            self.kept = None if is_shared else kept
            try:
                self._fill(result, fields, source, place, slot)
            finally:
                self.kept = kept
            if is_shared and before != (self.failure_count, len(self.pending)):
                is_certain = False
        if not is_certain:
            return result
        try:
            if not shared.own:
                whole, size = _as_kept(result)
                kept.keep(source, key, whole, size)
                return whole
            # None holds the place of what is filled in for each request, as the order of fields is the document's.
            template, size = dict[str, Any](), 0
            for is_shared, fields in shared.runs:
                for plan in fields:
                    template[plan.key], more = _as_kept(result[plan.key]) if is_shared else (None, _SLOT_BYTES)
                    size += more
        except TypeError:
            return result  # What is no JSON is told where the answer is written.
        kept.keep(source, key, template, size)
        return result

    # --- what resolvers get ----------------------------------------------------------------------------------

    def _arguments_of(self, plan: FieldPlan, place: Place) -> dict[str, Any]:
        """A direct resolver's keyword arguments, an info among them: the same for one place in one execution."""
        known = self.arguments.get(plan.place)
        if known is not None:
            return known
        raw_info = self.infos[plan.place] = self._make_info(plan, place)
        definition = plan.strawberry_field
        assert definition is not None
        info: Info = self.plan.setting.config.info_class(_raw_info=raw_info, _field=definition)
        made = {} if plan.arguments is None else plan.arguments.read(self.variables, info)
        if plan.info_name is not None:
            made[plan.info_name] = info
        self.arguments[plan.place] = made
        return made

    def _make_info(self, plan: FieldPlan, place: Any) -> GraphQLResolveInfo[Any]:
        path: Path | None = None
        for key in keys_of(place):
            path = Path(path, key, None)
        operation = self.plan
        return GraphQLResolveInfo(
            plan.nodes[0].name.value,
            list(plan.nodes),
            plan.definition.type,
            plan.parent_type,
            path or Path(None, plan.key, None),
            operation.setting.schema,
            operation.fragments,
            self.root,
            operation.operation,
            self.variables,
            self.context,
            optimized_is_awaitable,  # type: ignore[arg-type]  # it is the guard, typed as bool
            None,
            _HELPERS,
        )

    # --- waiting ---------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """Wait for all that is noted, and for what comes below; returns when nothing is left."""
        noted, self.pending = self.pending, []
        waits: dict[object, Awaitable[None]] = {}
        for each in noted:
            if each.awaitable is None:
                batch = self._join_batch(each)
                waits[batch] = batch
            else:
                waits[id(each)] = self._wait_for(each)
        if len(waits) == 1:
            await next(iter(waits.values()))
        elif waits:
            await asyncio.gather(*waits.values())

    def _join_batch(self, each: _Pending) -> asyncio.Task[None]:
        """The batch that will answer it: the same for all places that ask the same in the same turn of the loop."""
        plan = each.plan
        key = plan.batch if plan.arguments is None else plan.place
        known = self.batches.get(key)
        if known is None:
            waiting: list[_Pending] = []
            known = self.batches[key] = (waiting, asyncio.ensure_future(self._answer_batch(key)))
        known[0].append(each)
        return known[1]

    async def _answer_batch(self, key: object) -> None:
        # Others may come to the same place in this turn: what they waited for came with what we waited for.
        await asyncio.sleep(0)
        batch, _ = self.batches.pop(key)
        await self._wait_for_batch(batch)

    async def _wait_for(self, each: _Pending) -> None:
        assert each.awaitable is not None
        try:
            value = await each.awaitable
        except Exception as error:  # noqa: BLE001  # a field's error, told as GraphQL says
            self._fail(locate(each.plan, error, each.place), each.slot)
            return
        self._put(each, value)
        if self.pending:
            await self._settle()

    async def _wait_for_batch(self, batch: Sequence[_Pending]) -> None:
        plan = batch[0].plan
        assert plan.batch is not None
        try:
            arguments: Mapping[str, Any] = self._arguments_of(plan, batch[0].place)
            values = await plan.batch(objects=[each.source for each in batch], **arguments)
            found = list(zip(batch, values, strict=True))
        except Exception as error:  # noqa: BLE001  # the error of each of them, told as GraphQL says
            for each in batch:
                self._fail(locate(each.plan, error, each.place), each.slot)
            return
        for each, value in found:
            self._put(each, value)
        if self.pending:
            await self._settle()

    def _put(self, each: _Pending, value: Any) -> None:
        try:
            each.container[each.key] = self._complete(each.plan, each.value, value, each.place, each.slot)
        except Exception as error:  # noqa: BLE001  # a field's error, told as GraphQL says
            self._fail(locate(each.plan, error, each.place), each.slot)

    # --- failures --------------------------------------------------------------------------------------------

    def _not_there(self, plan: FieldPlan, error: Exception, place: Place) -> None:
        """Note the error of a field that is null for it; raises Failed where the field may not be null."""
        located = locate(plan, error, place)
        if not plan.value.is_nullable:
            raise Failed(located) from error
        self._add_error(located, place)

    def _fail(self, error: GraphQLError, slot: Slot) -> None:
        """The slot becomes null for this error."""
        container, key, place = slot
        self._add_error(error, place)
        if container is None:
            self.has_failed = True
        else:
            container[key] = None

    def _add_error(self, error: GraphQLError, place: Any) -> None:
        """Unless it happened below a place that is null already."""
        self.failure_count += 1
        keys = tuple(keys_of(place))
        if not self.nulled or not any(keys[:length] in self.nulled for length in range(len(keys) + 1)):
            self.nulled.add(keys)
            self.errors.append(error)


def _runtime_type(
    plan: FieldPlan, declared: GraphQLAbstractType, value: Any, info: GraphQLResolveInfo[Any]
) -> GraphQLObjectType:
    assert declared.resolve_type is not None, "strawberry's abstract types know their objects' types"
    name = declared.resolve_type(value, info, declared)
    found = info.schema.get_type(name) if isinstance(name, str) else None
    if not is_object_type(found) or not info.schema.is_sub_type(declared, found):
        raise GraphQLError(
            f"Abstract type '{declared}' was resolved to {name!r} for field "
            f"'{plan.coordinate}', which is none of its object types.",
            list(plan.nodes),
        )
    return found


def _known_classes(value_of: ValueOf) -> Mapping[type, Any]:
    """Classes whose values need not be asked whether they have to be waited for, with their plans, if any."""
    return value_of.known if isinstance(value_of, ObjectOf) else _NEVER_AWAITABLE


def _as_kept(value: Any) -> tuple[Any, int]:
    """A value as it is kept, and about how many bytes that takes."""
    if isinstance(value, dict | list):
        # A copy, which is as long as its text: orjson's own bytes keep the 4 kB that were taken to write them.
        text = bytes(memoryview(orjson.dumps(value)))
        return orjson.Fragment(text), len(text) + _SLOT_BYTES
    return value, len(value) + _SLOT_BYTES if isinstance(value, str) else _SLOT_BYTES
