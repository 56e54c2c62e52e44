"""PROVIDES_ and REQUIRES_FIELDS_MISSING_EXTERNAL: what is required or provided must be resolved elsewhere."""

from __future__ import annotations

from gateway.composition.field_sets import Selected, possible_objects
from gateway.composition.report import Report
from gateway.composition.rules.field_set_uses import FieldSetUse, field_set_uses
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_facts import SubgraphFacts
from gateway.composition.subgraph_schema import SubgraphSchema, TypeKind

__all__ = ["check_fields_missing_external"]


def check_fields_missing_external(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports leaf fields that this subgraph resolves itself, unless a field above them is external."""
    schema, facts = subgraph.schema, subgraph.facts
    for item in field_set_uses(schema):
        if item.role != "key":
            _check(item, facts, item.resolve(), report, below_external=False)


def _check(
    item: FieldSetUse, facts: SubgraphFacts, selections: tuple[Selected, ...], report: Report, *, below_external: bool
) -> None:
    for selected in selections:
        field = selected.field
        if field is None:
            _check(item, facts, selected.inner, report, below_external=below_external)
            continue
        is_external = facts.is_external(field)
        if not selected.inner and not is_external and not below_external:
            why = (
                "is a key field of an extension, which counts as resolved here"
                if field.has("external")
                else "is not marked @external"
            )
            message = f'{item} names "{field.coordinate}", which {why}: this subgraph provides it already'
            places = [item.place, (item.schema.name, field.node)]
            report.error(f"{item.code_prefix}_FIELDS_MISSING_EXTERNAL", message, places)
        external_here = below_external or is_external or _is_external_in_an_implementation(item.schema, facts, selected)
        _check(item, facts, selected.inner, report, below_external=external_here)


def _is_external_in_an_implementation(schema: SubgraphSchema, facts: SubgraphFacts, selected: Selected) -> bool:
    field = selected.field
    if field is None or selected.parent.kind is not TypeKind.INTERFACE:
        return False
    implementations = (schema.types[name].fields.get(field.name) for name in possible_objects(schema, selected.parent))
    return any(own is not None and facts.is_external(own) for own in implementations)
