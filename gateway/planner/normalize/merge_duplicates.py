"""Pass: within one selection set, a field asked twice is asked once.

Two fields with the same response key are the same field (validation saw to that). The one with weaker conditions
stays at the place of the first; the other's children join it, carrying what was stricter. Where neither condition
implies the other, both stay.
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
from gateway.planner.normalize.inline_fragments import is_contradiction

__all__ = ["merge_duplicates"]


def merge_duplicates(selections: SelectionSet) -> SelectionSet:
    """The same selections without comparable repetitions; order of first appearance kept."""
    items: list[Selection] = []
    places: dict[str, list[int]] = {}
    for item in selections:
        if isinstance(item, InlineFragment):
            if items and isinstance(items[-1], InlineFragment) and items[-1].type_condition == item.type_condition:
                items[-1] = replace(items[-1], selections=items[-1].selections + item.selections)
            else:
                items.append(item)
            continue
        same = places.setdefault(item.response_key, [])
        for index in same:
            have = items[index]
            assert isinstance(have, FieldSelection)
            merged = _merge(have, item)
            if merged is not None:
                items[index] = merged
                break
        else:
            same.append(len(items))
            items.append(item)
    return tuple(replace(item, selections=merge_duplicates(item.selections)) for item in items)


def _merge(have: FieldSelection, more: FieldSelection) -> FieldSelection | None:
    first, second = set(have.conditions), set(more.conditions)
    if first <= second:
        weaker, children = have.conditions, have.selections + _under(more.selections, second - first)
    elif second <= first:
        weaker, children = more.conditions, _under(have.selections, first - second) + more.selections
    else:
        return None
    return replace(have, conditions=weaker, selections=children)


def _under(selections: SelectionSet, conditions: set[Condition]) -> SelectionSet:
    """The selections, each under further conditions."""
    if not conditions:
        return selections
    items: list[Selection] = []
    for item in selections:
        if isinstance(item, InlineFragment):
            items.append(replace(item, selections=_under(item.selections, conditions)))
            continue
        both = add_conditions(item.conditions, conditions)
        if not is_contradiction(both):
            items.append(replace(item, conditions=both))
    return tuple(items)
