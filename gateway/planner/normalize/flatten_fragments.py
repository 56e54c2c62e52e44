"""Pass: only fragments that really narrow remain.

A fragment on the surrounding type or a supertype of it is replaced by its selections; one inside another fragment
moves beside it when it is the narrower one; one that can never apply goes. Conditions move from fragments to their
fields.
"""

from __future__ import annotations

from dataclasses import replace

from graphql import (
    GraphQLAbstractType,
    GraphQLCompositeType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from gateway.graphql_kit.selections import (
    Condition,
    FieldSelection,
    InlineFragment,
    Selection,
    SelectionSet,
    add_conditions,
)
from gateway.planner.normalize.inline_fragments import is_contradiction

__all__ = ["flatten_fragments"]


def flatten_fragments(selections: SelectionSet, parent: GraphQLCompositeType, schema: GraphQLSchema) -> SelectionSet:
    """The selections for objects of `parent` with redundant and impossible fragments gone, at all levels."""
    return _flatten(selections, parent, schema, ())


def _flatten(
    selections: SelectionSet,
    parent: GraphQLCompositeType,
    schema: GraphQLSchema,
    outer: tuple[Condition, ...],
) -> SelectionSet:
    items: list[Selection] = []
    for item in selections:
        conditions = add_conditions(outer, item.conditions)
        if is_contradiction(conditions):
            continue
        if isinstance(item, FieldSelection):
            items.append(_flatten_field(item, parent, schema, conditions))
            continue
        narrow = _as_composite(schema, item.type_condition) if item.type_condition else parent
        if _is_subtype(parent, narrow, schema):
            items.extend(_flatten(item.selections, parent, schema, conditions))
        elif _overlap(parent, narrow, schema):
            inner = _flatten(item.selections, narrow, schema, conditions)
            items.extend(_beside(inner, item.type_condition, parent, narrow, schema))
    return tuple(items)


def _beside(
    inner: SelectionSet, name: str, parent: GraphQLCompositeType, narrow: GraphQLCompositeType, schema: GraphQLSchema
) -> list[Selection]:
    """A fragment's flattened content, with fragments narrower than it moved beside it, order kept."""
    result: list[Selection] = []
    run: list[Selection] = []
    for item in inner:
        moves = isinstance(item, InlineFragment) and _is_subtype(
            _as_composite(schema, item.type_condition),
            parent if _is_subtype(narrow, parent, schema) else narrow,
            schema,
        )
        if not moves:
            run.append(item)
            continue
        if run:
            result.append(InlineFragment(name, (), tuple(run)))
            run = []
        result.append(item)
    if run:
        result.append(InlineFragment(name, (), tuple(run)))
    return result


def _flatten_field(
    item: FieldSelection, parent: GraphQLCompositeType, schema: GraphQLSchema, conditions: tuple[Condition, ...]
) -> FieldSelection:
    if item.name.startswith("__") or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        return replace(item, conditions=conditions)
    target = get_named_type(parent.fields[item.name].type)
    if not is_composite_type(target):
        return replace(item, conditions=conditions)
    return replace(item, conditions=conditions, selections=_flatten(item.selections, target, schema, ()))


def _as_composite(schema: GraphQLSchema, name: str) -> GraphQLCompositeType:
    found = schema.get_type(name)
    assert found is not None
    assert is_composite_type(found)
    return found


def _possible(type_: GraphQLCompositeType, schema: GraphQLSchema) -> set[str]:
    if is_abstract_type(type_):
        abstract: GraphQLAbstractType = type_
        return {possible.name for possible in schema.get_possible_types(abstract)}
    return {type_.name}


def _is_subtype(sub: GraphQLCompositeType, base: GraphQLCompositeType, schema: GraphQLSchema) -> bool:
    if sub.name == base.name:
        return True
    return is_abstract_type(base) and schema.is_sub_type(base, sub)


def _overlap(one: GraphQLCompositeType, other: GraphQLCompositeType, schema: GraphQLSchema) -> bool:
    return not _possible(one, schema).isdisjoint(_possible(other, schema))
