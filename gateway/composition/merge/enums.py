"""Enums: all values where clients only read them, the common ones where they only write them, equal where both."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.state import EnumUse, MergeState
from gateway.composition.merge.type_joins import type_joins
from gateway.composition.report import Place
from gateway.composition.subgraph_schema import SubgraphType
from gateway.supergraph.model import EnumType, EnumValue, SubgraphName

__all__ = ["merge_enum"]


def merge_enum(state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType]) -> EnumType:
    """The supergraph's enum; where it is used is known by now."""
    where: list[Place] = [(s, d.node) for s, d in definitions.items()]
    use = state.enum_uses.get(name)
    if use is None:
        state.report.hint("UNUSED_ENUM_TYPE", f'the enum "{name}" is used nowhere; all its values are kept', where)
        use = EnumUse(as_output="nothing")
    names = dict.fromkeys(value for definition in definitions.values() for value in definition.values)
    values = {}
    for value_name in names:
        value = _merge_value(state, name, value_name, definitions, use)
        if value is not None:
            values[value_name] = value
    if not values:
        message = f'no value of the enum "{name}" is defined by all its subgraphs, so nothing would be left of it'
        state.report.error("EMPTY_MERGED_ENUM_TYPE", message, where)
    return EnumType(
        name=name,
        values=values,
        joins=type_joins(definitions),
        description=merge_descriptions(state, definitions, f'the enum "{name}"'),
        directives=merge_applications(state, definitions, name),
    )


def _merge_value(
    state: MergeState, name: str, value_name: str, definitions: Mapping[SubgraphName, SubgraphType], use: EnumUse
) -> EnumValue | None:
    coordinate = f"{name}.{value_name}"
    sources = {subgraph: definition.values.get(value_name) for subgraph, definition in definitions.items()}
    directives = merge_applications(state, sources, coordinate)
    lacking = ", ".join(f'"{subgraph}"' for subgraph, value in sources.items() if value is None)
    is_inaccessible = any(directive.name == state.directives.inaccessible for directive in directives)
    where: list[Place] = [(s, d.node) for s, d in definitions.items()]
    if lacking and use.as_input is None:
        message = f'the enum value "{coordinate}" is missing in {lacking}'
        state.report.hint("INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM", message, where)
    elif lacking and not is_inaccessible and use.as_output is not None:
        message = (
            f'the enum "{name}" is written (for example by "{use.as_input}") and read (for example by '
            f'"{use.as_output}"), so its values must be the same everywhere: "{value_name}" is missing in {lacking}'
        )
        state.report.error("ENUM_VALUE_MISMATCH", message, where)
    elif lacking and not is_inaccessible:
        message = f'the enum value "{coordinate}" is missing in {lacking} and so left out of the supergraph'
        state.report.hint("INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM", message, where)
        return None
    return EnumValue(
        name=value_name,
        subgraphs=tuple(subgraph for subgraph, value in sources.items() if value is not None),
        description=merge_descriptions(state, sources, f'the enum value "{coordinate}"'),
        directives=directives,
    )
