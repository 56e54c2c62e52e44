"""Entity requests whose arguments are filled from objects above: one `_entities` field for each group of equal values.

Problem: an operation has one variable for an argument, but every entity may need another value. Idea: collect the
objects in groups with equal values, and repeat the `_entities` field for each group, with variables of its own; what
was asked once is asked in one request all the same.

Invariants: objects of different groups share no representation; a request with one group of each input is the
plan's own operation. The number of groups is bounded by the number of objects in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import orjson
from graphql import FieldNode, OperationDefinitionNode, parse

from gateway.executor.representations import Representations, Taker, build_taker, is_unavailable
from gateway.graphql_kit.paths import EveryItem, FlattenPath, KeyElement, TypeCondition
from gateway.planner.plan.nodes import ContextValue, EntityInput, EntityStep

if TYPE_CHECKING:
    from gateway.executor.compile import CompiledInput, CompiledStep

__all__ = ["ContextGroups", "GroupedFetch", "build_context_groups"]

_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class GroupedFetch:
    """A step as it is sent once: its inputs repeated per group, the operation's text and all variables as JSON."""

    step: CompiledStep
    body: bytes
    sent: list[Representations]


@dataclass(frozen=True, slots=True)
class _Group:
    """One `_entities` field to send: `values` are JSON, one for each context of the input."""

    values: tuple[bytes, ...]
    representations: Representations


@dataclass(frozen=True, slots=True)
class _InputText:
    """One input's selection, cut where its context variables stand: text, variable, text, variable, …, text."""

    pieces: tuple[str, ...]

    def numbered(self, suffix: str) -> str:
        """The selection with the suffix after each of these variables."""
        return "".join(f"${piece}{suffix}" if index % 2 else piece for index, piece in enumerate(self.pieces))


@dataclass(frozen=True, slots=True)
class ContextGroups:
    """A step compiled for grouping.

    `head` and `client_definitions` are the operation's own, without the brackets; `joint` stands before numbers so that
    no client variable has a name that a group's variable gets.
    """

    step: EntityStep
    inputs: tuple[CompiledInput, ...]
    takers: tuple[Taker, ...]
    texts: tuple[_InputText, ...]
    head: str
    client_definitions: tuple[str, ...]
    joint: str

    def prepare(
        self, tree: dict[str, Any], client_variables: Sequence[bytes], own: CompiledStep
    ) -> GroupedFetch | None:
        """The request for what is in the tree now; None when no object needs it."""
        expanded: list[CompiledInput] = []
        sent: list[Representations] = []
        fields: list[str] = []
        definitions = list(self.client_definitions)
        variables = list(client_variables)
        for index, (compiled, take, text) in enumerate(zip(self.inputs, self.takers, self.texts, strict=True)):
            item = compiled.entity_input
            for number, group in enumerate(_groups(compiled, take, tree)):
                suffix = f"{self.joint}{index}_{number}"
                alias, variable = f"_e{suffix}", f"{item.variable}{suffix}"
                fields.append(f"{alias}: _entities(representations: ${variable}){text.numbered(suffix)}")
                definitions.append(f"${variable}: [_Any!]!")
                variables.append(_entry(variable, group.representations.written))
                for context, value in zip(item.contexts, group.values, strict=True):
                    definitions.append(f"${context.variable}{suffix}: {context.type}")
                    variables.append(_entry(f"{context.variable}{suffix}", value))
                expanded.append(replace(compiled, entity_input=replace(item, alias=alias, variable=variable)))
                sent.append(group.representations)
        if not fields:
            return None
        operation = f"{self.head}({', '.join(definitions)}){{{' '.join(fields)}}}"
        name = self.step.operation_name
        body = b'{"query":' + orjson.dumps(operation)
        body += b"" if name is None else b',"operationName":' + orjson.dumps(name)
        step = replace(self.step, operation=operation, inputs=tuple(each.entity_input for each in expanded))
        return GroupedFetch(
            replace(own, step=step, inputs=tuple(expanded)),
            body + b',"variables":{' + b",".join(variables) + b"}}",
            sent,
        )


def build_context_groups(step: EntityStep, inputs: Sequence[CompiledInput]) -> ContextGroups | None:
    """The step compiled for grouping; None for a step without arguments from contexts."""
    if not any(item.contexts for item in step.inputs):
        return None
    (definition,) = parse(step.operation).definitions
    assert isinstance(definition, OperationDefinitionNode)
    own = {item.variable for item in step.inputs} | {c.variable for item in step.inputs for c in item.contexts}
    selections: dict[str, str] = {}
    for node in definition.selection_set.selections:
        assert isinstance(node, FieldNode)
        assert node.selection_set is not None
        selections[(node.alias or node.name).value] = _text_of(step.operation, node.selection_set)
    clients = [each.variable.name.value for each in definition.variable_definitions or ()]
    joint = "_"
    while any(name.startswith(f"{item.variable}{joint}") for name in clients for item in step.inputs):
        joint += "_"
    return ContextGroups(
        step,
        tuple(inputs),
        tuple(build_taker(item.shapes) for item in step.inputs),
        tuple(_cut(selections[item.alias], item) for item in step.inputs),
        f"query {step.operation_name}" if step.operation_name else "query",
        tuple(
            _text_of(step.operation, each)
            for each in definition.variable_definitions or ()
            if each.variable.name.value not in own
        ),
        joint,
    )


def _text_of(operation: str, node: Any) -> str:
    return operation[node.loc.start : node.loc.end]


def _cut(selection: str, item: EntityInput) -> _InputText:
    if not item.contexts:
        return _InputText((selection,))
    names = "|".join(re.escape(each.variable) for each in item.contexts)
    return _InputText(tuple(re.split(rf"\$({names})\b", selection)))


def _entry(name: str, value: bytes) -> bytes:
    return orjson.dumps(name) + b":" + value


def _groups(compiled: CompiledInput, take: Taker, tree: dict[str, Any]) -> list[_Group]:
    item = compiled.entity_input
    if not item.contexts:
        representations = compiled.collect(tree)
        return [_Group((), representations)] if representations.targets else []
    found: dict[tuple[bytes, ...], dict[bytes, list[dict[str, Any]]]] = {}
    for path in item.paths:
        for target, above in _walk(tree, path, 0, ()):
            values = _values(item.contexts, above)
            representation = take(target) if values is not None else None
            if values is None or is_unavailable(representation):
                continue
            found.setdefault(values, {}).setdefault(orjson.dumps(representation), []).append(target)
    return [
        _Group(values, Representations(b"[" + b",".join(by) + b"]", list(by.values()), []))
        for values, by in found.items()
    ]


def _walk(
    value: Any, path: FlattenPath, at: int, above: tuple[dict[str, Any], ...]
) -> Iterator[tuple[dict[str, Any], tuple[dict[str, Any], ...]]]:
    """The objects at a path, each with the objects in which the path's keys were looked up."""
    if at == len(path):
        if value.__class__ is dict:
            yield value, above
        return
    match path[at]:
        case KeyElement(response_key):
            if value.__class__ is dict and value.get(response_key) is not None:
                yield from _walk(value[response_key], path, at + 1, (*above, value))
        case EveryItem():
            for each in value if value.__class__ is list else ():
                yield from _walk(each, path, at + 1, above)
        case TypeCondition(type_names):
            if value.__class__ is dict and value.get("__typename") in type_names:
                yield from _walk(value, path, at + 1, above)


def _values(contexts: Sequence[ContextValue], above: Sequence[dict[str, Any]]) -> tuple[bytes, ...] | None:
    """What fills the variables, as JSON; None when one is missing or null against its type."""
    values: list[bytes] = []
    for context in contexts:
        value: Any = above[context.level]
        for key in context.keys:
            value = _below(value, key)
        if value is _MISSING or (value is None and context.type.endswith("!")):
            return None
        values.append(orjson.dumps(value))
    return tuple(values)


def _below(value: Any, key: str) -> Any:
    """The value under a key, of each item where it is a list."""
    if value.__class__ is list:
        items = [_below(each, key) for each in value]
        return _MISSING if any(each is _MISSING for each in items) else items
    if isinstance(value, Mapping):
        return value.get(key, _MISSING)
    return None if value is None else _MISSING
