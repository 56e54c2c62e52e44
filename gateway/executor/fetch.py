"""One step: prepare (pure) → load (I/O) → merge (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from gateway.errors import ResponseError, SubgraphEntitiesInvalid, SubgraphMalformed
from gateway.executor.answers import GraphQLAnswer
from gateway.executor.compile import CompiledInput, CompiledStep
from gateway.executor.errors import ErrorPolicy, Merged, map_subgraph_errors
from gateway.executor.merge import copy_json, merge_each, merge_object
from gateway.executor.representations import Representations
from gateway.planner.plan.nodes import EntityStep, RootStep

__all__ = ["PreparedFetch", "merge_answer", "prepare_fetch"]


@dataclass(frozen=True, slots=True)
class PreparedFetch:
    """What will be sent, and which objects of the tree the answer belongs to.

    `step`: the compiled step as it is sent, which has more inputs than the plan's where values differ between objects.
    """

    step: CompiledStep
    body: bytes
    merged: Merged


def prepare_fetch(
    compiled: CompiledStep, tree: dict[str, Any], encoded_variables: Mapping[str, bytes]
) -> PreparedFetch | None:
    """The request of one step; None when no object in the tree needs it."""
    step = compiled.step
    match step:
        case RootStep():
            roots: list[dict[str, Any]] = [tree]
            if compiled.find_roots is not None:
                roots = []
                compiled.find_roots(tree, roots)
                if not roots:
                    return None
            if compiled.whole_body is not None:
                return PreparedFetch(compiled, compiled.whole_body, Merged(roots=roots))
            body = compiled.body_prefix + b",".join(_client_variables(step.variables, encoded_variables)) + b"}}"
            return PreparedFetch(compiled, body, Merged(roots=roots))
        case EntityStep() if compiled.groups is not None:
            client = _client_variables(step.variables, encoded_variables)
            grouped = compiled.groups.prepare(tree, client, compiled)
            return None if grouped is None else PreparedFetch(grouped.step, grouped.body, Merged(sent=grouped.sent))
        case EntityStep():
            sent = [each.collect(tree) for each in compiled.inputs]
            if not any(each.targets for each in sent):
                return None
            variables = _client_variables(step.variables, encoded_variables)
            variables += [
                each.variable_prefix + representations.written
                for each, representations in zip(compiled.inputs, sent, strict=True)
            ]
            return PreparedFetch(compiled, compiled.body_prefix + b",".join(variables) + b"}}", Merged(sent=sent))


def _client_variables(names: Sequence[str], encoded_variables: Mapping[str, bytes]) -> list[bytes]:
    return [encoded_variables[name] for name in names if name in encoded_variables]


def merge_answer(
    prepared: PreparedFetch, answer: GraphQLAnswer, tree: dict[str, Any], policy: ErrorPolicy
) -> list[ResponseError]:
    """Merge one answer into the tree and return its errors with the client's paths.

    Raises SubgraphEntitiesInvalid or SubgraphMalformed, before anything is merged, when the data does not fit what was
    asked.
    """
    compiled = prepared.step
    if answer.data is not None:
        match compiled.step:
            case RootStep():
                _merge_roots(compiled, prepared.merged.roots, answer.data)
            case EntityStep():
                _merge_entities(compiled, prepared.merged.sent, answer.data)
    if not answer.errors:
        return []
    return map_subgraph_errors(compiled.step, answer.errors, prepared.merged, tree, policy)


def _merge_roots(compiled: CompiledStep, roots: Sequence[dict[str, Any]], data: dict[str, Any]) -> None:
    if not compiled.required_keys <= data.keys():
        _refuse_missing_key(compiled, compiled.required_keys, data)
    if compiled.rewrite is not None:
        compiled.rewrite(data)
    for index, root in enumerate(roots):
        merge_object(root, copy_json(data) if compiled.apart and index < len(roots) - 1 else data)


def _merge_entities(compiled: CompiledStep, sent: Sequence[Representations], data: dict[str, Any]) -> None:
    answers = [
        _entities_of(compiled, each, representations, data)
        for each, representations in zip(compiled.inputs, sent, strict=True)
    ]
    for each, representations, entities in zip(compiled.inputs, sent, answers, strict=True):
        if each.rewrite is not None:
            for entity in entities:
                if entity is not None:
                    each.rewrite(entity)
        if each.may_share and not each.apart:
            merge_each(representations.targets, entities)
            continue
        for index, (entity, targets) in enumerate(zip(entities, representations.targets, strict=True)):
            if entity is not None:
                _merge_apart(
                    entity, targets, range(len(targets)) if each.apart else representations.path_indices[index]
                )


def _merge_apart(entity: dict[str, Any], targets: Sequence[dict[str, Any]], path_indices: Sequence[int]) -> None:
    """Merge so that places of different paths share nothing: one copy of the entity per path."""
    copies: dict[int, dict[str, Any]] = {}
    for path_index in path_indices:  # all copies are made before the first merge, which may change the entity's parts
        if path_index not in copies:
            copies[path_index] = copy_json(entity) if copies else entity
    for target, path_index in zip(targets, path_indices, strict=True):
        merge_object(target, copies[path_index])


def _entities_of(
    compiled: CompiledStep, each: CompiledInput, representations: Representations, data: dict[str, Any]
) -> list[dict[str, Any] | None]:
    count = len(representations.targets)
    if not count:
        return []
    name = compiled.step.subgraph
    entities = data.get(each.entity_input.alias)
    if not isinstance(entities, list):
        raise SubgraphEntitiesInvalid(name, f"subgraph '{name}' answered without a list of entities")
    if len(entities) != count:
        raise SubgraphEntitiesInvalid(
            name, f"subgraph '{name}' answered with {len(entities)} entities where {count} were asked for"
        )
    require = each.require
    try:
        for entity in entities:
            if entity.__class__ is dict:
                require(entity)
            elif entity is not None:
                raise _not_objects(name)
    except KeyError:
        _refuse_incomplete(compiled, each, entities)
    if each.echoes:
        _require_own_entities(compiled, each, representations, entities)
    return entities


def _require_own_entities(
    compiled: CompiledStep,
    each: CompiledInput,
    representations: Representations,
    entities: Sequence[dict[str, Any] | None],
) -> None:
    """Refuse entities that stand where others were asked for: in another order, or one of them twice.

    A value that differs without being another representation's is left alone: subgraphs may write a key in their own
    way (letters in lower case, numbers as strings).
    """
    answered = [key for key, _ in each.echoes]
    source = [key for _, key in each.echoes]
    sent = [_comparable(targets[0], source) for targets in representations.targets]
    known = set(sent)
    for own, entity in zip(sent, entities, strict=True):
        if entity is None:
            continue
        given = _comparable(entity, answered)
        if given != own and given in known and None not in given:
            name = compiled.step.subgraph
            keys = ", ".join(answered)
            raise SubgraphEntitiesInvalid(
                name, f"subgraph '{name}' answered with another entity than the one that was asked for, told by {keys}"
            )


def _comparable(source: dict[str, Any], keys: Sequence[str]) -> tuple[str | None, ...]:
    """Values as text, since an ID may come as a number; None for whatever is neither text nor a whole number."""
    values = [source.get(key) for key in keys]
    return tuple(str(value) if value.__class__ in (str, int) else None for value in values)


def _not_objects(name: str) -> SubgraphEntitiesInvalid:
    return SubgraphEntitiesInvalid(name, f"subgraph '{name}' answered with entities that are no objects")


def _refuse_incomplete(compiled: CompiledStep, each: CompiledInput, entities: Sequence[Any]) -> NoReturn:
    """Some entity lacks a key; that another is no object says more about the answer."""
    if any(entity is not None and entity.__class__ is not dict for entity in entities):
        raise _not_objects(compiled.step.subgraph)
    incomplete = next(entity for entity in entities if entity is not None and not each.required_keys <= entity.keys())
    _refuse_missing_key(compiled, each.required_keys, incomplete)


def _refuse_missing_key(compiled: CompiledStep, required: frozenset[str], found: dict[str, Any]) -> NoReturn:
    """Refuse an answer that leaves out what was asked: a missing field would become a silent null."""
    name = compiled.step.subgraph
    missing = min(required - found.keys())
    raise SubgraphMalformed(name, f"subgraph '{name}' answered without the field '{missing}' that it was asked for")
