"""From subgraphs' errors to the client's: the right path, a text that may be shown, and who it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.errors import ResponseError, ResponsePathKeys, SubgraphError
from gateway.executor.places import locate
from gateway.executor.representations import Representations
from gateway.planner.plan.nodes import EntityInput, EntityStep, FetchStep, RootStep

__all__ = ["ErrorPolicy", "Merged", "error_of_failure", "map_subgraph_errors"]

_UPSTREAM_CODE = "DOWNSTREAM_SERVICE_ERROR"
_NEVER_FORWARDED = frozenset({"exception", "stacktrace", "stack", "trace", "traceback", "debug", "tracing", "ftv1"})
_MAX_MESSAGE_CHARACTERS = 1_000
_MAX_EXTENSIONS_BYTES = 4_096
_MAX_PLACES_PER_ERROR = 10
"""One failed entity can stand at many places; so many of them are told."""


@dataclass(frozen=True, slots=True)
class ErrorPolicy:
    """What clients may see of subgraphs' errors.

    `mask`: texts are replaced unless the error's code is in `shown_codes`. `name_subgraphs`: set `extensions.service`.
    `max_errors` bounds what is kept of one answer and of one response.
    """

    mask: bool = True
    shown_codes: frozenset[str] = field(default_factory=frozenset)
    name_subgraphs: bool = True
    max_errors: int = 100


@dataclass(frozen=True, slots=True)
class Merged:
    """What one step dealt with: per entity input what was sent, or for a root step the objects that get its data."""

    sent: Sequence[Representations] = ()
    roots: Sequence[dict[str, Any]] = ()


def error_of_failure(error: SubgraphError, policy: ErrorPolicy) -> ResponseError:
    """The client's view of a request that gave nothing; its path is set where the missing fields are."""
    return ResponseError(str(error), error.code, extensions=_named(error.subgraph_name, policy))


def map_subgraph_errors(
    step: FetchStep,
    raw_errors: Sequence[Any],
    merged: Merged,
    tree: dict[str, Any],
    policy: ErrorPolicy,
) -> list[ResponseError]:
    """One step's errors as the client gets them; paths begin at the client's root, None where none is usable.

    `merged`: what each entity input sent, or the objects into which a root step's data is merged.
    """
    mapped: list[ResponseError] = []
    aliases = _client_names(step)
    for raw in raw_errors[: policy.max_errors]:
        entry = raw if isinstance(raw, dict) else {}
        shown = _shown(entry, step.subgraph, policy)
        places = _places(step, _path_of(entry), merged, tree)
        mapped += [
            ResponseError(
                shown.message,
                shown.code,
                None if place is None else _with_client_names(place, aliases),
                extensions=shown.extensions,
            )
            for place in places
        ]
    return mapped[: policy.max_errors]


def _shown(entry: Mapping[str, Any], subgraph_name: str, policy: ErrorPolicy) -> ResponseError:
    """Message, code and extensions that may be shown, without a path."""
    message = entry.get("message")
    extensions = entry.get("extensions")
    given = extensions if isinstance(extensions, dict) else {}
    code = given.get("code")
    may_show = not policy.mask or (isinstance(code, str) and code in policy.shown_codes)
    if not may_show:
        return ResponseError(
            f"subgraph '{subgraph_name}' reported an error"
            if policy.name_subgraphs
            else "a subgraph reported an error",
            _UPSTREAM_CODE,
            extensions=_named(subgraph_name, policy),
        )
    text = (
        message[:_MAX_MESSAGE_CHARACTERS] if isinstance(message, str) else "a subgraph reported an error without text"
    )
    kept = {
        str(name): value
        for name, value in given.items()
        if str(name).lower() not in _NEVER_FORWARDED and name not in {"code", "service"}
    }
    if kept and not _is_small(kept):
        kept = {}
    return ResponseError(
        text,
        code[:100] if isinstance(code, str) else _UPSTREAM_CODE,
        extensions={**kept, **_named(subgraph_name, policy)},
    )


def _is_small(extensions: Mapping[str, Any]) -> bool:
    try:
        return len(orjson.dumps(extensions)) <= _MAX_EXTENSIONS_BYTES
    except TypeError:  # nested deeper than can be written again
        return False


def _named(subgraph_name: str, policy: ErrorPolicy) -> dict[str, Any]:
    return {"service": subgraph_name} if policy.name_subgraphs else {}


def _path_of(entry: Mapping[str, Any]) -> ResponsePathKeys | None:
    path = entry.get("path")
    if not isinstance(path, list) or not path:
        return None
    if all(key.__class__ is str or key.__class__ is int for key in path):
        return tuple(path)
    return None


def _client_names(step: FetchStep) -> dict[str, str]:
    rewrites = (
        [rewrite for each in step.inputs for rewrite in each.output_rewrites]
        if isinstance(step, EntityStep)
        else step.output_rewrites
    )
    return {each.source_key: each.response_key for each in rewrites}


def _places(
    step: FetchStep, path: ResponsePathKeys | None, merged: Merged, tree: dict[str, Any]
) -> Sequence[ResponsePathKeys | None]:
    match step:
        case EntityStep():
            return _entity_places(step, path, merged.sent, tree) or [None]
        case RootStep():
            if not step.path:
                return [path]
            wanted = {id(each) for each in merged.roots}
            places = locate(tree, step.path, wanted, _MAX_PLACES_PER_ERROR)
            return [(*place, *(path or ())) for place, _ in places] or [None]


def _entity_places(
    step: EntityStep, path: ResponsePathKeys | None, sent: Sequence[Representations], tree: dict[str, Any]
) -> list[ResponsePathKeys]:
    """`alias, index, rest…` → the rest below every place of that entity; a path of another kind → nowhere."""
    if path is None:
        return []
    for entity_input, representations in zip(step.inputs, sent, strict=True):
        if entity_input.alias != path[0]:
            continue
        if len(path) == 1 or not isinstance(path[1], int):
            targets = [each for group in representations.targets[:1] for each in group[:1]]
        elif 0 <= path[1] < len(representations.targets):
            targets = representations.targets[path[1]]
        else:
            return []
        return [(*place, *path[2:]) for place in _places_of(entity_input, targets, tree)]
    return []


def _places_of(
    entity_input: EntityInput, targets: Sequence[dict[str, Any]], tree: dict[str, Any]
) -> list[ResponsePathKeys]:
    wanted = {id(each) for each in targets}
    found: list[ResponsePathKeys] = []
    for path in entity_input.paths:
        found += [place for place, _ in locate(tree, path, wanted, _MAX_PLACES_PER_ERROR - len(found))]
        if len(found) >= _MAX_PLACES_PER_ERROR:
            break
    return found


def _with_client_names(path: ResponsePathKeys, aliases: Mapping[str, str]) -> ResponsePathKeys:
    """With the client's names in place of internal aliases."""
    return tuple(aliases.get(key, key) if isinstance(key, str) else key for key in path)
