"""What an operation may cost before anything is done for it.

Fragments are measured once and their sums added where they are spread, so the work is linear in the text although a
short text can stand for millions of fields. Measured is what execution would meet: fields, aliases and directives
with fragments expanded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gateway.errors import RequestInvalid, ResponseError

__all__ = ["OperationLimits", "OperationSize", "check_limits", "measure_operation"]

_MAX_DEFINITIONS = 1_000
_MAX_VARIABLES = 1_000
_SATURATION = 10**9
"""Sums stop growing here; every limit is far below."""


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """Upper bounds, fragments expanded."""

    max_depth: int = 40
    max_fields: int = 10_000
    max_aliases: int = 1_000
    max_root_fields: int = 100
    max_directives: int = 500


@dataclass(frozen=True, slots=True)
class OperationSize:
    """How large one selection set is, fragments expanded."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    root_fields: int = 0


def check_limits(document: DocumentNode, limits: OperationLimits) -> None:
    """Raise RequestInvalid when any operation of the document is larger than allowed."""
    if len(document.definitions) > _MAX_DEFINITIONS:
        raise _too_large("definitions", len(document.definitions), _MAX_DEFINITIONS)
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    known: dict[str, OperationSize] = {}
    for operation in document.definitions:
        if not isinstance(operation, OperationDefinitionNode):
            continue
        if len(operation.variable_definitions or ()) > _MAX_VARIABLES:
            raise _too_large("variables", len(operation.variable_definitions or ()), _MAX_VARIABLES)
        size = measure_operation(operation, fragments, known)
        for what, seen, allowed in (
            ("levels of depth", size.depth, limits.max_depth),
            ("fields at the root", size.root_fields, limits.max_root_fields),
            ("fields", size.fields, limits.max_fields),
            ("aliases", size.aliases, limits.max_aliases),
            ("directives", size.directives, limits.max_directives),
        ):
            if seen > allowed:
                raise _too_large(what, seen, allowed)


def measure_operation(
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    known: dict[str, OperationSize] | None = None,
) -> OperationSize:
    """The size of one operation. Fragments that spread themselves count once; validation refuses them."""
    size = _measure(operation.selection_set, fragments, {} if known is None else known, set())
    return OperationSize(
        size.depth,
        size.fields,
        size.aliases,
        min(_SATURATION, size.directives + len(operation.directives or ())),
        size.root_fields,
    )


def _measure(
    selection_set: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    known: dict[str, OperationSize],
    open_fragments: set[str],
) -> OperationSize:
    depth = fields = aliases = directives = root_fields = 0
    for selection in selection_set.selections:
        directives += len(selection.directives or ())
        below = OperationSize()
        match selection:
            case FieldNode():
                fields += 1
                root_fields += 1
                aliases += selection.alias is not None
                if selection.selection_set is not None:
                    below = _measure(selection.selection_set, fragments, known, open_fragments)
                depth = max(depth, 1 + below.depth)
            case InlineFragmentNode():
                below = _measure(selection.selection_set, fragments, known, open_fragments)
                depth = max(depth, below.depth)
                root_fields += below.root_fields
            case FragmentSpreadNode():
                below = _measure_fragment(selection.name.value, fragments, known, open_fragments)
                depth = max(depth, below.depth)
                root_fields += below.root_fields
        fields += below.fields
        aliases += below.aliases
        directives += below.directives
    return OperationSize(
        min(depth, _SATURATION),
        min(fields, _SATURATION),
        min(aliases, _SATURATION),
        min(directives, _SATURATION),
        min(root_fields, _SATURATION),
    )


def _measure_fragment(
    name: str,
    fragments: Mapping[str, FragmentDefinitionNode],
    known: dict[str, OperationSize],
    open_fragments: set[str],
) -> OperationSize:
    if name in known:
        return known[name]
    fragment = fragments.get(name)
    if fragment is None or name in open_fragments:
        return OperationSize()
    open_fragments.add(name)
    known[name] = _measure(fragment.selection_set, fragments, known, open_fragments)
    open_fragments.discard(name)
    return known[name]


def _too_large(what: str, seen: int, allowed: int) -> RequestInvalid:
    amount = f"{seen}" if seen < _SATURATION else "far more"
    return RequestInvalid(
        [ResponseError(f"the operation has {amount} {what}; at most {allowed} are allowed", "OPERATION_TOO_LARGE")]
    )
