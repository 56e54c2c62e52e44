"""Selection sets as immutable values: fields with their arguments as canonical text, and inline fragments.

Two selections that mean the same to a server compare equal when both were made by `read_selection_set`: arguments are
sorted by name and printed in one way, so that text comparison is value comparison.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Condition",
    "FieldSelection",
    "InlineFragment",
    "Selection",
    "SelectionSet",
    "add_conditions",
    "count_fields",
    "response_key_of",
    "write_selection_set",
]


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """One `@include(if: $variable)`, or `@skip` where `negated`."""

    variable: str
    negated: bool = False

    def __str__(self) -> str:
        """As a directive."""
        return f"@{'skip' if self.negated else 'include'}(if: ${self.variable})"


@dataclass(frozen=True, slots=True)
class FieldSelection:
    """A field: `arguments` maps names to values in canonical GraphQL notation, sorted by name.

    `conditions` must all hold, sorted. `selections` is empty for leaves.
    """

    name: str
    alias: str | None = None
    arguments: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    selections: SelectionSet = ()

    @property
    def response_key(self) -> str:
        """The key in the answer."""
        return self.alias or self.name


@dataclass(frozen=True, slots=True)
class InlineFragment:
    """Selections for objects of (or below) one type."""

    type_condition: str
    conditions: tuple[Condition, ...] = ()
    selections: SelectionSet = ()


Selection: TypeAlias = FieldSelection | InlineFragment
SelectionSet: TypeAlias = tuple[Selection, ...]


def response_key_of(selection: FieldSelection) -> str:
    """The key under which the field's value appears in the answer."""
    return selection.response_key


def add_conditions(have: tuple[Condition, ...], more: Iterable[Condition]) -> tuple[Condition, ...]:
    """The conjunction of both, sorted, without repetition."""
    return tuple(sorted({*have, *more}))


def count_fields(selections: SelectionSet) -> int:
    """How many fields are selected at all levels."""
    return sum((1 if isinstance(item, FieldSelection) else 0) + count_fields(item.selections) for item in selections)


def write_selection_set(selections: SelectionSet) -> str:
    """The set on one line with its braces: `{ id name: title(lang: "en") ... on Movie { cast } }`."""
    return "{ " + " ".join(_write(item) for item in selections) + " }"


def _write(item: Selection) -> str:
    if isinstance(item, InlineFragment):
        head = f"... on {item.type_condition}"
    else:
        head = f"{item.alias}: {item.name}" if item.alias and item.alias != item.name else item.name
        if item.arguments:
            head += "(" + ", ".join(f"{name}: {value}" for name, value in item.arguments) + ")"
    parts = [head, *(str(condition) for condition in item.conditions)]
    if item.selections:
        parts.append(write_selection_set(item.selections))
    return " ".join(parts)
