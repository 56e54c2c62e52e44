"""What join v0.1 (Federation 1 supergraphs) leaves implicit, made explicit.

There a type without @join__type is a value type that every subgraph defines, a field without @join__field belongs to
its type's owner, key fields are known wherever the key is, and what a field requires or provides is external there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode

from gateway.graphql_kit.field_set_text import parse_field_set
from gateway.graphql_kit.type_refs import named_type
from gateway.supergraph.model import (
    EnumType,
    Field,
    FieldJoin,
    InputObjectType,
    InterfaceType,
    ObjectType,
    SubgraphName,
    Supergraph,
    TypeDefinition,
    TypeJoin,
    UnionType,
)

__all__ = ["fill_in_legacy_joins"]


def fill_in_legacy_joins(supergraph: Supergraph, owners: Mapping[str, SubgraphName]) -> Supergraph:
    """The same supergraph with provenance as later join versions would state it."""
    everywhere = tuple(supergraph.subgraphs)
    types = {name: _spread(definition, everywhere, owners.get(name)) for name, definition in supergraph.types.items()}
    for type_name, field_name, subgraph, external in _implied(types):
        _join(types, type_name, field_name, subgraph, external=external)
    return replace(supergraph, types=types)


def _spread(
    definition: TypeDefinition, everywhere: tuple[SubgraphName, ...], owner: SubgraphName | None
) -> TypeDefinition:
    """Give a value type to every subgraph, and an entity's unmarked fields to its owner."""
    if definition.joins and isinstance(definition, ObjectType | InterfaceType):
        fields = {}
        for name, field in definition.fields.items():
            unmarked = set(field.joins) == set(definition.joins) and owner is not None
            fields[name] = replace(field, joins={owner: FieldJoin(owner, field.type)}) if unmarked and owner else field
        joins = definition.joins
        if owner is not None and owner not in joins:
            joins = {**joins, owner: TypeJoin(owner, interfaces=definition.interfaces)}
        return replace(definition, fields=fields, joins=joins)
    match definition:
        case ObjectType() | InterfaceType():
            own = {name: tuple(field.joins) for name, field in definition.fields.items()}
            marked = {subgraph for subgraphs in own.values() for subgraph in subgraphs}
            homes = tuple(s for s in everywhere if s in marked) if all(own.values()) and marked else everywhere
            return replace(
                definition,
                joins={subgraph: TypeJoin(subgraph, interfaces=definition.interfaces) for subgraph in homes},
                fields={name: _everywhere(field, homes) for name, field in definition.fields.items()},
            )
        case UnionType():
            return replace(definition, joins=_plain(everywhere), members=dict.fromkeys(definition.members, everywhere))
        case EnumType():
            values = {name: replace(value, subgraphs=everywhere) for name, value in definition.values.items()}
            return replace(definition, joins=_plain(everywhere), values=values)
        case InputObjectType():
            inputs = {n: replace(f, types=dict.fromkeys(everywhere, f.type)) for n, f in definition.fields.items()}
            return replace(definition, joins=_plain(everywhere), fields=inputs)
        case _:
            return replace(definition, joins=_plain(everywhere))


def _plain(subgraphs: tuple[SubgraphName, ...]) -> dict[SubgraphName, TypeJoin]:
    return {subgraph: TypeJoin(subgraph) for subgraph in subgraphs}


def _everywhere(field: Field, subgraphs: tuple[SubgraphName, ...]) -> Field:
    return field if field.joins else replace(field, joins={s: FieldJoin(s, field.type) for s in subgraphs})


def _implied(types: Mapping[str, TypeDefinition]) -> list[tuple[str, str, SubgraphName, bool]]:
    """(type, field, subgraph, external) for every field that a key, requirement or provision names."""
    found: list[tuple[str, str, SubgraphName, bool]] = []
    for name, definition in types.items():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for join in definition.joins.values():
            for key in join.keys:
                found += [
                    (t, f, join.subgraph, False) for t, f in _named_fields(types, name, parse_field_set(key.fields))
                ]
        for field in definition.fields.values():
            for field_join in field.joins.values():
                if field_join.requires:
                    selections = parse_field_set(field_join.requires)
                    found += [(t, f, field_join.subgraph, True) for t, f in _named_fields(types, name, selections)]
                if field_join.provides:
                    selections = parse_field_set(field_join.provides)
                    target = named_type(field.type)
                    found += [(t, f, field_join.subgraph, True) for t, f in _named_fields(types, target, selections)]
    return found


def _named_fields(
    types: Mapping[str, TypeDefinition], type_name: str, selections: SelectionSetNode
) -> Iterator[tuple[str, str]]:
    definition = types.get(type_name)
    for selection in selections.selections:
        match selection:
            case InlineFragmentNode():
                condition = selection.type_condition.name.value if selection.type_condition else type_name
                yield from _named_fields(types, condition, selection.selection_set)
            case FieldNode() if isinstance(definition, ObjectType | InterfaceType):
                field = definition.fields.get(selection.name.value)
                if field is None:
                    continue
                yield type_name, field.name
                if selection.selection_set:
                    yield from _named_fields(types, named_type(field.type), selection.selection_set)
            case _:
                continue


def _join(
    types: dict[str, TypeDefinition], type_name: str, field_name: str, subgraph: SubgraphName, *, external: bool
) -> None:
    definition = types[type_name]
    assert isinstance(definition, ObjectType | InterfaceType)
    field = definition.fields[field_name]
    if subgraph in field.joins:
        return
    joined = replace(field, joins={**field.joins, subgraph: FieldJoin(subgraph, field.type, external=external)})
    joins = definition.joins
    if subgraph not in joins:
        joins = {**joins, subgraph: TypeJoin(subgraph, interfaces=definition.interfaces)}
    types[type_name] = replace(definition, fields={**definition.fields, field_name: joined}, joins=joins)
