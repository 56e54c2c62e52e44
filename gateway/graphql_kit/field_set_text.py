"""The one canonical spelling of a field set: single spaces, no commas, braces apart (`id org { id }`)."""

from __future__ import annotations

from functools import lru_cache

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    print_ast,
)

__all__ = ["FieldSetInvalid", "canonical_field_set", "parse_field_set", "selection_shape", "write_field_set"]


class FieldSetInvalid(ValueError):
    """The text is no selection set; the message says where it breaks."""


@lru_cache(maxsize=8192)
def parse_field_set(text: str) -> SelectionSetNode:
    """The selections of a field set given with or without outer braces; raises FieldSetInvalid.

    The AST is shared between callers and must not be changed.
    """
    inner = text.strip()
    source = inner if inner.startswith("{") else f"{{{inner}\n}}"
    try:
        document = parse(source, no_location=True)
    except GraphQLSyntaxError as problem:
        raise FieldSetInvalid(problem.message) from problem
    except RecursionError as problem:
        raise FieldSetInvalid("it is nested too deeply") from problem
    definition = document.definitions[0]
    if len(document.definitions) != 1 or not isinstance(definition, OperationDefinitionNode):
        raise FieldSetInvalid("it is not one selection set")
    _require_selections(definition.selection_set)
    return definition.selection_set


def _require_selections(selections: SelectionSetNode) -> None:
    if not selections.selections:
        raise FieldSetInvalid("it selects nothing")
    for selection in selections.selections:
        nested = getattr(selection, "selection_set", None)
        if nested is not None:
            _require_selections(nested)


@lru_cache(maxsize=8192)
def canonical_field_set(text: str) -> str:
    """The same field set in canonical spelling, order kept; raises FieldSetInvalid."""
    return write_field_set(parse_field_set(text))


def write_field_set(selections: SelectionSetNode) -> str:
    """A selection set without outer braces in canonical spelling."""
    return " ".join(_write_selection(selection) for selection in selections.selections)


def _write_selection(selection: object) -> str:
    match selection:
        case FieldNode():
            alias = f"{selection.alias.value}: " if selection.alias else ""
            arguments = f"({', '.join(print_ast(a) for a in selection.arguments)})" if selection.arguments else ""
            head = f"{alias}{selection.name.value}{arguments}"
        case InlineFragmentNode():
            head = f"... on {selection.type_condition.name.value}" if selection.type_condition else "..."
        case FragmentSpreadNode():
            return f"...{selection.name.value}"
        case _:
            raise TypeError(f"not a selection: {selection!r}")
    directives = "".join(f" {print_ast(d)}" for d in getattr(selection, "directives", ()) or ())
    nested = getattr(selection, "selection_set", None)
    body = f" {{ {write_field_set(nested)} }}" if nested else ""
    return head + directives + body


def selection_shape(text: str) -> dict[str, object]:
    """What a field set selects regardless of order: nested dictionaries that compare equal; raises FieldSetInvalid."""
    return _shape(parse_field_set(text))


def _shape(selections: SelectionSetNode) -> dict[str, object]:
    shape: dict[str, object] = {}
    for selection in selections.selections:
        nested = getattr(selection, "selection_set", None)
        head = _write_selection(selection).split(" {", 1)[0]
        inner = _shape(nested) if nested else {}
        existing = shape.get(head)
        shape[head] = {**existing, **inner} if isinstance(existing, dict) else inner
    return shape
