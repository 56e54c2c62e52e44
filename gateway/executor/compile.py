"""Compiling a query plan once per operation: everything that does not depend on a request is prepared here.

A compiled step holds the beginning of its request body as bytes, its collectors and mergers as functions, and its place
in the schedule as counts; running it costs filling in variables and representations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import orjson
from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, parse

from gateway.executor.context_groups import ContextGroups, build_context_groups
from gateway.executor.places import Finder, build_finder, response_keys
from gateway.executor.representations import Collector, build_collector
from gateway.executor.rewrites import Rewriter, build_rewriter
from gateway.graphql_kit.paths import FlattenPath
from gateway.planner.plan.nodes import EntityInput, EntityStep, FetchStep, QueryPlan, RootStep

__all__ = ["CompiledInput", "CompiledPlan", "CompiledStep", "compile_plan", "delivered_keys"]


@dataclass(frozen=True, slots=True)
class CompiledInput:
    """One `_entities` field. `variable_prefix` is its key in the variables JSON, with the colon.

    `may_share`: equal representations at different paths may hold the same result object, since every later step treats
    those paths alike. `apart`: no two objects may, since values from above them are still to be filled in below.
    `required_keys`: what every entity that is not null must have, before rewrites; `require` raises KeyError for one
    that lacks any, in half the time that comparing sets of keys takes. `echoes`: leaves of the
    representation that the entity repeats, as (response key before rewrites, key of the object that it was built from).
    """

    entity_input: EntityInput
    collect: Collector
    variable_prefix: bytes
    rewrite: Rewriter | None
    may_share: bool
    apart: bool
    required_keys: frozenset[str]
    require: Callable[[dict[str, Any]], object]
    echoes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledStep:
    """One step. `body_prefix` ends where the variables begin; `whole_body` is the body of a step without variables.

    `required_keys`: what the data of a root step must have, before rewrites. `apart`: objects that get its data share
    no part of it. `groups`: how a step is sent whose arguments are filled from objects above.
    """

    step: FetchStep
    body_prefix: bytes
    whole_body: bytes | None
    inputs: tuple[CompiledInput, ...]
    find_roots: Finder | None
    rewrite: Rewriter | None
    children: tuple[int, ...]
    required_keys: frozenset[str] = frozenset()
    apart: bool = False
    groups: ContextGroups | None = None


@dataclass(frozen=True, slots=True)
class CompiledPlan:
    """A plan ready to run; `parent_counts[i]` steps must be done before step i starts."""

    plan: QueryPlan
    steps: tuple[CompiledStep, ...]
    parent_counts: tuple[int, ...]
    delivered: dict[int, frozenset[tuple[str, ...]]] = field(default_factory=dict)
    """Filled by `delivered_keys` when a step fails for the first time."""


def compile_plan(plan: QueryPlan) -> CompiledPlan:
    """Prepare every step; the plan is trusted (the plan check holds it)."""
    children: list[list[int]] = [[] for _ in plan.steps]
    for step in plan.steps:
        for parent in step.depends_on:
            children[parent].append(step.id)
    relations = _Relations(_paths_of_inputs(plan.steps), _paths_below_contexts(plan.steps))
    return CompiledPlan(
        plan,
        tuple(_compile_step(step, tuple(children[step.id]), relations) for step in plan.steps),
        tuple(len(step.depends_on) for step in plan.steps),
    )


@dataclass(frozen=True, slots=True)
class _Relations:
    """What else is merged where: paths that are treated alike, and paths with the level that gives them values."""

    alike: Sequence[frozenset[FlattenPath]]
    below_contexts: Sequence[tuple[tuple[str, ...], int]]

    def is_crossed(self, path: FlattenPath) -> bool:
        """Whether values from above (or at) the objects at a path are filled in below them."""
        keys = response_keys(path)
        return any(
            len(below) > len(keys) >= level and below[: len(keys)] == keys for below, level in self.below_contexts
        )


def _paths_below_contexts(steps: Sequence[FetchStep]) -> list[tuple[tuple[str, ...], int]]:
    return [
        (response_keys(path), context.level)
        for step in steps
        if isinstance(step, EntityStep)
        for item in step.inputs
        for context in item.contexts
        for path in item.paths
    ]


def _compile_step(step: FetchStep, children: tuple[int, ...], relations: _Relations) -> CompiledStep:
    name = b"" if step.operation_name is None else b',"operationName":' + orjson.dumps(step.operation_name)
    head = b'{"query":' + orjson.dumps(step.operation) + name
    prefix = head + b',"variables":{'
    match step:
        case RootStep():
            return CompiledStep(
                step=step,
                body_prefix=prefix,
                whole_body=head + b"}" if not step.variables else None,
                inputs=(),
                find_roots=build_finder(step.path) if step.path else None,
                rewrite=build_rewriter(step.output_rewrites),
                children=children,
                required_keys=_unconditional_keys(_selection_set(step.operation)),
                apart=relations.is_crossed(step.path),
            )
        case EntityStep():
            selections = _selections_by_alias(step.operation)
            inputs = tuple(_compile_input(each, selections[each.alias], relations) for each in step.inputs)
            groups = build_context_groups(step, inputs)
            return CompiledStep(step, prefix, None, inputs, None, None, children, groups=groups)


def _compile_input(entity_input: EntityInput, selection: SelectionSetNode, relations: _Relations) -> CompiledInput:
    may_share = _may_share(entity_input, selection, relations.alike)
    whole = _whole_selection(entity_input, selection)
    required = frozenset() if whole is None else _unconditional_keys(whole)
    return CompiledInput(
        entity_input=entity_input,
        collect=build_collector(entity_input, keep_paths=not may_share),
        variable_prefix=orjson.dumps(entity_input.variable) + b":",
        rewrite=build_rewriter(entity_input.output_rewrites),
        may_share=may_share,
        apart=any(relations.is_crossed(path) for path in entity_input.paths),
        required_keys=required,
        require=itemgetter(*required) if required else len,
        echoes=() if whole is None else _echoes(entity_input, whole),
    )


def _whole_selection(entity_input: EntityInput, selection: SelectionSetNode) -> SelectionSetNode | None:
    """What is asked of every entity whatever its type; known where one fragment on the sent type holds everything."""
    fragments = selection.selections
    if len(entity_input.shapes) != 1 or len(fragments) != 1 or not isinstance(fragments[0], InlineFragmentNode):
        return None
    fragment = fragments[0]
    sent = entity_input.shapes[0].sent_typename
    if fragment.directives or fragment.type_condition is None or fragment.type_condition.name.value != sent:
        return None
    return fragment.selection_set


def _echoes(entity_input: EntityInput, selection: SelectionSetNode) -> tuple[tuple[str, str], ...]:
    asked = {
        each.name.value: (each.alias or each.name).value
        for each in selection.selections
        if isinstance(each, FieldNode) and not (each.directives or each.arguments or each.selection_set)
    }
    return tuple(
        (asked[each.name], each.source_key)
        for each in entity_input.shapes[0].fields
        if each.name in asked and not each.fields and each.type_names is None
    )


def _unconditional_keys(selection_set: SelectionSetNode) -> frozenset[str]:
    return frozenset(
        (each.alias or each.name).value
        for each in selection_set.selections
        if isinstance(each, FieldNode) and not each.directives
    )


def _paths_of_inputs(steps: Sequence[FetchStep]) -> list[frozenset[FlattenPath]]:
    """For everything that merges below the root: the set of paths that it treats alike."""
    groups: list[frozenset[FlattenPath]] = []
    for step in steps:
        match step:
            case RootStep():
                if step.path:
                    groups.append(frozenset({step.path}))
            case EntityStep():
                groups += [frozenset(each.paths) for each in step.inputs]
    return groups


def _may_share(
    entity_input: EntityInput, selection: SelectionSetNode, groups: Sequence[frozenset[FlattenPath]]
) -> bool:
    """Whether every merge into something that this input delivers happens, in the same group, at all of its paths.

    Otherwise two places that hold the same object could be given different values under one key (the same response
    key with other arguments in another branch). Leaves can be shared always.
    """
    paths = entity_input.paths
    if len(paths) == 1:
        return True
    composite = _composite_keys(
        selection, {each.source_key: each.response_key for each in entity_input.output_rewrites}
    )
    for group in groups:
        for path in paths:
            for other in group:
                if len(other) <= len(path) or other[: len(path)] != path:
                    continue
                suffix = other[len(path) :]
                if next(iter(response_keys(suffix)), None) not in composite:
                    continue
                if any((*sibling, *suffix) not in group for sibling in paths):
                    return False
    return True


def _composite_keys(selection_set: SelectionSetNode, names: dict[str, str]) -> set[str]:
    """Response keys at the top of a selection that hold objects."""
    keys: set[str] = set()
    for selection in selection_set.selections:
        if isinstance(selection, FieldNode) and selection.selection_set is not None:
            key = (selection.alias or selection.name).value
            keys.add(names.get(key, key))
        elif isinstance(selection, InlineFragmentNode):
            keys |= _composite_keys(selection.selection_set, names)
    return keys


def _selection_set(operation: str) -> SelectionSetNode:
    """The root selections of a step's operation."""
    definitions = parse(operation, no_location=True).definitions
    return next(each for each in definitions if isinstance(each, OperationDefinitionNode)).selection_set


def _selections_by_alias(operation: str) -> dict[str, SelectionSetNode]:
    """The selection set of each `_entities` field of a step's operation."""
    return {
        (each.alias or each.name).value: each.selection_set
        for each in _selection_set(operation).selections
        if isinstance(each, FieldNode) and each.selection_set is not None
    }


def delivered_keys(compiled: CompiledPlan, step_id: int) -> frozenset[tuple[str, ...]]:
    """Places, as response keys from the client's root, that a step fills; needed only to explain what is missing."""
    known = compiled.delivered.get(step_id)
    if known is None:
        known = compiled.delivered[step_id] = frozenset(_delivered(compiled.plan.steps[step_id]))
    return known


def _delivered(step: FetchStep) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    match step:
        case RootStep():
            names = {each.source_key: each.response_key for each in step.output_rewrites}
            _collect_keys(_selection_set(step.operation), response_keys(step.path), names, found)
        case EntityStep():
            selections = _selections_by_alias(step.operation)
            for entity_input in step.inputs:
                names = {each.source_key: each.response_key for each in entity_input.output_rewrites}
                for path in entity_input.paths:
                    _collect_keys(selections[entity_input.alias], response_keys(path), names, found)
    return found


def _collect_keys(
    selection_set: SelectionSetNode, at: tuple[str, ...], names: dict[str, str], found: set[tuple[str, ...]]
) -> None:
    for selection in selection_set.selections:
        if isinstance(selection, FieldNode):
            key = (selection.alias or selection.name).value
            here = (*at, names.get(key, key))
            found.add(here)
            if selection.selection_set is not None:
                _collect_keys(selection.selection_set, here, names, found)
        elif isinstance(selection, InlineFragmentNode):
            _collect_keys(selection.selection_set, at, names, found)
