"""Numbers for selection sets, so that equal ones are found equal by comparing a number.

Planning asks again and again what is selected for objects of a type; the answer is kept per (selection, type).
"""

from __future__ import annotations

from dataclasses import replace

from gateway.graphql_kit.selections import (
    Condition,
    FieldSelection,
    InlineFragment,
    Selection,
    SelectionSet,
    add_conditions,
)
from gateway.query_graph.model import QueryGraph

__all__ = ["SelectionTable", "merge_fields"]


class SelectionTable:
    """Selection sets by number, for one planning run."""

    def __init__(self, graph: QueryGraph) -> None:
        self._graph = graph
        self._selections: list[SelectionSet] = []
        self._numbers: dict[SelectionSet, int] = {}
        self._known: dict[int, tuple[SelectionSet, int]] = {}
        self._fields: dict[tuple[int, str], tuple[FieldSelection, ...]] = {}

    def number(self, selections: SelectionSet) -> int:
        """The number of a selection set; equal sets have equal numbers."""
        known = self._known.get(id(selections))  # by identity first: hashing a deep set costs its size
        if known is not None and known[0] is selections:
            return known[1]
        number = self._numbers.setdefault(selections, len(self._selections))
        if number == len(self._selections):
            self._selections.append(selections)
        self._known[id(selections)] = (selections, number)
        return number

    def selections(self, number: int) -> SelectionSet:
        """The selection set with this number."""
        return self._selections[number]

    def fields(self, number: int, type_name: str) -> tuple[FieldSelection, ...]:
        """The fields selected for objects of one type, one per response key (or two under incomparable conditions)."""
        known = self._fields.get((number, type_name))
        if known is None:
            known = merge_fields(self._graph.fields_for(self._selections[number], type_name))
            self._fields[number, type_name] = known
        return known


def merge_fields(fields: list[FieldSelection]) -> tuple[FieldSelection, ...]:
    """Fields of one object, one per response key: under the conditions that all share, children put together."""
    merged: dict[tuple[str, tuple[tuple[str, str], ...]], FieldSelection] = {}
    for item in fields:
        key = (item.response_key, item.arguments)
        have = merged.get(key)
        if have is None:
            merged[key] = item
            continue
        common = set(have.conditions) & set(item.conditions)
        children = _under(have, common) + _under(item, common)
        merged[key] = replace(have, conditions=tuple(sorted(common)), selections=tuple(dict.fromkeys(children)))
    return tuple(merged.values())


def _under(item: FieldSelection, common: set[Condition]) -> SelectionSet:
    """The children of a field, each under the conditions that the field itself no longer carries."""
    extra = [condition for condition in item.conditions if condition not in common]
    if not extra:
        return item.selections
    return tuple(_with_conditions(child, extra) for child in item.selections)


def _with_conditions(item: Selection, extra: list[Condition]) -> Selection:
    if isinstance(item, InlineFragment):
        return replace(item, selections=tuple(_with_conditions(child, extra) for child in item.selections))
    return replace(item, conditions=add_conditions(item.conditions, extra))
