"""INTERFACE_KEY_NOT_ON_IMPLEMENTATION: what identifies an interface identifies each of its implementations."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.field_sets import possible_objects
from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import DirectiveUse, SubgraphType, TypeKind
from gateway.graphql_kit.field_set_text import FieldSetInvalid, selection_shape

__all__ = ["check_interface_key_not_on_implementation"]


def check_interface_key_not_on_implementation(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports implementations without an interface's key, or with that key unresolvable."""
    schema = subgraph.schema
    for interface in schema.composites(TypeKind.INTERFACE):
        for key in interface.using("key"):
            shape = _shape(key)
            if shape is None:
                continue
            for name in sorted(possible_objects(schema, interface)):
                problem = _problem(interface, schema.types[name], key, shape)
                if problem is not None:
                    places = [(schema.name, key.node), (schema.name, schema.types[name].node)]
                    report.error("INTERFACE_KEY_NOT_ON_IMPLEMENTATION", problem, places)


def _problem(
    interface: SubgraphType, implementation: SubgraphType, key: DirectiveUse, shape: Mapping[str, object]
) -> str | None:
    same = next((own for own in implementation.using("key") if _shape(own) == shape), None)
    fields = key.text("fields")
    if same is None:
        return f'"{interface.name}" has the key "{fields}" but its implementation "{implementation.name}" has not'
    if not key.is_false("resolvable") and same.is_false("resolvable"):
        return f'the key "{fields}" of "{interface.name}" is not resolvable on "{implementation.name}"'
    return None


def _shape(key: DirectiveUse) -> Mapping[str, object] | None:
    text = key.text("fields")
    try:
        return selection_shape(text) if text is not None else None
    except FieldSetInvalid:
        return None
