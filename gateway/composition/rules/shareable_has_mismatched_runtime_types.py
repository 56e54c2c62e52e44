"""SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES: who resolves one field together must be able to give the same answer."""

from __future__ import annotations

from gateway.composition.field_sets import possible_objects
from gateway.composition.report import Report
from gateway.composition.stages import MergedSupergraph
from gateway.graphql_kit.type_refs import named_type
from gateway.supergraph.model import Field, InterfaceType, ObjectType, SubgraphName, UnionType

__all__ = ["check_shareable_has_mismatched_runtime_types"]


def check_shareable_has_mismatched_runtime_types(merged: MergedSupergraph, report: Report) -> None:
    """Reports shared fields whose possible types have nothing in common; hints where they only differ."""
    for definition in merged.supergraph.types.values():
        if not isinstance(definition, ObjectType):
            continue
        for field in definition.fields.values():
            target = merged.supergraph.types.get(named_type(field.type))
            if isinstance(target, InterfaceType | UnionType) and len(field.joins) > 1:
                _check(merged, f"{definition.name}.{field.name}", field, report)


def _check(merged: MergedSupergraph, coordinate: str, field: Field, report: Report) -> None:
    possible: dict[SubgraphName, frozenset[str]] = {}
    for name, join in field.joins.items():
        schema = merged.subgraphs[name].schema
        target = schema.types.get(named_type(join.type))
        # An interface object stands for every implementation, known here or not.
        if join.external or target is None or target.is_interface_object:
            continue
        possible[name] = possible_objects(schema, target)
    if len(set(possible.values())) < 2:
        return
    said = "; ".join(f'{", ".join(sorted(types)) or "none"} in "{name}"' for name, types in possible.items())
    type_name, field_name = coordinate.split(".")
    places = [(n, merged.subgraphs[n].schema.types[type_name].fields[field_name].node) for n in possible]
    if frozenset.intersection(*possible.values()):
        if len({named_type(join.type) for join in field.joins.values()}) > 1:
            return  # that the types differ has been hinted at already
        message = f'"{coordinate}" is shared but its possible types differ: {said}'
        report.hint("INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN", message, places)
    else:
        message = f'"{coordinate}" is shared but its possible types have nothing in common: {said}'
        report.error("SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES", message, places)
