"""KEY_, PROVIDES_ and REQUIRES_UNSUPPORTED_ON_INTERFACE."""

from __future__ import annotations

from gateway.composition.report import Report
from gateway.composition.rules.field_set_uses import field_set_uses
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import TypeKind

__all__ = ["check_unsupported_on_interface"]

_KEYS_ON_INTERFACES_SINCE = (2, 3)


def check_unsupported_on_interface(subgraph: ValidSubgraph, report: Report) -> None:
    """Interfaces resolve nothing, so they provide and require nothing; keys on them came with federation v2.3."""
    schema = subgraph.schema
    for item in field_set_uses(schema):
        if item.owner.kind is not TypeKind.INTERFACE:
            continue
        is_meant = item.target is not None and item.target.is_composite
        if item.role != "key" and is_meant:
            message = f"{item}: @{item.role} cannot stand on the fields of an interface; put it on its implementations"
            report.error(f"{item.code_prefix}_UNSUPPORTED_ON_INTERFACE", message, [item.place])
        elif item.role == "key" and (schema.federation or (2, 0)) < _KEYS_ON_INTERFACES_SINCE:
            message = f"{item}: a @key on an interface needs federation v2.3 or newer in the @link of this subgraph"
            report.error("KEY_UNSUPPORTED_ON_INTERFACE", message, [item.place])
