"""Input objects: the fields that all subgraphs know."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.arguments import merge_defaults
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.state import MergeState, Sources, places, present
from gateway.composition.merge.type_joins import type_joins
from gateway.composition.merge.types import Position, merge_types
from gateway.composition.subgraph_schema import SubgraphArgument, SubgraphType
from gateway.supergraph.model import InputField, InputObjectType, SubgraphName

__all__ = ["merge_input"]


def merge_input(state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType]) -> InputObjectType:
    """The supergraph's input object; @oneOf must be said by all."""
    names = dict.fromkeys(field for definition in definitions.values() for field in definition.inputs)
    fields: dict[str, InputField] = {}
    for field_name in names:
        sources = {subgraph: definition.inputs.get(field_name) for subgraph, definition in definitions.items()}
        field = _merge_field(state, f"{name}.{field_name}", sources)
        if field is not None:
            fields[field_name] = field
    where = [(subgraph, definition.node) for subgraph, definition in definitions.items()]
    if not fields:
        message = (
            f'no field of the input object "{name}" is defined by all its subgraphs, so nothing would be left of it'
        )
        state.report.error("EMPTY_MERGED_INPUT_TYPE", message, where)
    one_of = [any(use.name == "oneOf" for use in definition.uses) for definition in definitions.values()]
    if any(one_of) and not all(one_of):
        message = f'the input object "{name}" is @oneOf in some subgraphs only; say it in all or none'
        state.report.error("UNSUPPORTED_FEATURE", message, where)
    return InputObjectType(
        name=name,
        fields=fields,
        joins=type_joins(definitions),
        is_one_of=all(one_of),
        description=merge_descriptions(state, definitions, f'the input object "{name}"'),
        directives=merge_applications(state, definitions, name),
    )


def _merge_field(state: MergeState, coordinate: str, sources: Sources[SubgraphArgument]) -> InputField | None:
    known = present(sources)
    types = {subgraph: field.type for subgraph, field in known.items()}
    merged_type = merge_types(state, types, Position.INPUT_FIELD, coordinate, places(sources))
    default = merge_defaults(state, sources, Position.INPUT_FIELD, coordinate)
    directives = merge_applications(state, sources, coordinate)
    lacking = ", ".join(f'"{subgraph}"' for subgraph, field in sources.items() if field is None)
    if lacking and not any(directive.name == state.directives.inaccessible for directive in directives):
        requiring = ", ".join(f'"{subgraph}"' for subgraph, field in known.items() if field.is_required)
        if requiring:
            message = f'the input field "{coordinate}" is required in {requiring} but missing in {lacking}'
            state.report.error("REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH", message, places(sources))
        else:
            message = f'the input field "{coordinate}" is missing in {lacking} and so left out of the supergraph'
            state.report.hint("INCONSISTENT_INPUT_OBJECT_FIELD", message, places(sources))
        return None
    return InputField(
        name=coordinate.split(".")[1],
        type=merged_type,
        types=types,
        default=default,
        description=merge_descriptions(state, sources, f'the input field "{coordinate}"'),
        directives=directives,
    )
