"""@external declarations must say the same as the field's owner does."""

from __future__ import annotations

from graphql import print_ast

from gateway.composition.merge.state import MergeState, Sources, places, present
from gateway.composition.subgraph_schema import SubgraphField
from gateway.graphql_kit.type_refs import TypeRef, write_type_ref
from gateway.supergraph.model import Argument, SubgraphName

__all__ = ["check_externals", "without_externals"]


def without_externals(state: MergeState, sources: Sources[SubgraphField]) -> dict[SubgraphName, SubgraphField | None]:
    """The sources that resolve the field; a directive for the supergraph on one that does not is reported."""
    kept: dict[SubgraphName, SubgraphField | None] = {}
    for subgraph, source in sources.items():
        if source is None or not state.is_external(subgraph, source):
            kept[subgraph] = source
            continue
        kept[subgraph] = None
        for use in source.uses:
            if state.directives.is_merged(subgraph, use):
                message = f'"{source.coordinate}" is @external in "{subgraph}", so @{use.name} must stand elsewhere'
                place = [(subgraph, use.node)]
                state.report.error("MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL", message, place)
    return kept


def check_externals(
    state: MergeState,
    sources: Sources[SubgraphField],
    coordinate: str,
    merged_type: TypeRef,
    merged_arguments: dict[str, Argument],
    *,
    types_are_equal: bool,
) -> None:
    """Reports external fields whose type or arguments do not fit the merged field."""
    externals = {s: field for s, field in present(sources).items() if state.is_external(s, field)}
    if not externals:
        return
    wrong = [
        field
        for field in externals.values()
        if field.type != merged_type and (types_are_equal or not state.is_strict_subtype(merged_type, field.type))
    ]
    if wrong:
        message = (
            f'"{coordinate}" is @external with the type {write_type_ref(wrong[0].type)}, '
            f"but its type is {write_type_ref(merged_type)}"
        )
        state.report.error("EXTERNAL_TYPE_MISMATCH", message, places(sources))
    for argument in merged_arguments.values():
        _check_argument(state, externals, coordinate, argument)


def _check_argument(
    state: MergeState, externals: dict[SubgraphName, SubgraphField], coordinate: str, argument: Argument
) -> None:
    name = f"{coordinate}({argument.name}:)"
    where = [(field_subgraph, field.node) for field_subgraph, field in externals.items()]
    found = [field.arguments.get(argument.name) for field in externals.values()]
    if any(own is None for own in found):
        state.report.error("EXTERNAL_ARGUMENT_MISSING", f'"{name}" is missing where the field is @external', where)
    known = [own for own in found if own is not None]
    if any(own.type != argument.type and not state.is_strict_subtype(own.type, argument.type) for own in known):
        message = f'"{name}" has another type where the field is @external'
        state.report.error("EXTERNAL_ARGUMENT_TYPE_MISMATCH", message, where)
    if any((print_ast(own.default) if own.default is not None else None) != argument.default for own in known):
        message = f'"{name}" has another default where the field is @external'
        state.report.error("EXTERNAL_ARGUMENT_DEFAULT_MISMATCH", message, where)
