"""Arguments of fields and directives: only those that all subgraphs know, with one type and default."""

from __future__ import annotations

from graphql import print_ast

from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.context_arguments import contextual_arguments
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.state import MergeState, Sources, places, present
from gateway.composition.merge.types import Position, merge_types
from gateway.composition.subgraph_schema import SubgraphArgument, SubgraphDirective, SubgraphField
from gateway.supergraph.model import Argument

__all__ = ["merge_arguments", "merge_defaults"]


def merge_arguments(
    state: MergeState, sources: Sources[SubgraphField] | Sources[SubgraphDirective], coordinate: str
) -> dict[str, Argument]:
    """The supergraph's arguments of one element."""
    owners = {name: source for name, source in sources.items() if source is not None}
    names = dict.fromkeys(argument for owner in owners.values() for argument in owner.arguments)
    merged: dict[str, Argument] = {}
    contextual = contextual_arguments(state, owners, coordinate)
    for name in names:
        if name in contextual:
            continue
        found = {subgraph: owner.arguments.get(name) for subgraph, owner in owners.items()}
        own_coordinate = f"{coordinate}({name}:)"
        if all(argument is not None for argument in found.values()):
            merged[name] = _merge_argument(state, name, found, own_coordinate)
        else:
            _report_missing(state, found, own_coordinate)
    return merged


def _merge_argument(state: MergeState, name: str, found: Sources[SubgraphArgument], coordinate: str) -> Argument:
    known = present(found)
    types = {subgraph: argument.type for subgraph, argument in known.items()}
    return Argument(
        name=name,
        description=merge_descriptions(state, found, f'the argument "{coordinate}"'),
        directives=merge_applications(state, found, coordinate),
        type=merge_types(state, types, Position.ARGUMENT, coordinate, places(found)),
        default=merge_defaults(state, found, Position.ARGUMENT, coordinate),
    )


def merge_defaults(
    state: MergeState, sources: Sources[SubgraphArgument], position: Position, coordinate: str
) -> str | None:
    """The default that all agree on; none where only some give one."""
    given = {
        subgraph: print_ast(argument.default) if argument.default is not None else None
        for subgraph, argument in present(sources).items()
    }
    values = set(given.values())
    if len(values - {None}) > 1:
        said = ", ".join(f'{value or "none"} in "{subgraph}"' for subgraph, value in given.items())
        code = "FIELD_ARGUMENT_DEFAULT_MISMATCH" if position is Position.ARGUMENT else "INPUT_FIELD_DEFAULT_MISMATCH"
        message = f'the {position.value} "{coordinate}" has different defaults: {said}'
        state.report.error(code, message, places(sources))
        return None
    if len(values) > 1:
        message = f'the {position.value} "{coordinate}" has a default in some subgraphs only; it is left out'
        state.report.hint("INCONSISTENT_DEFAULT_VALUE_PRESENCE", message, places(sources))
        return None
    return next(iter(values), None)


def _report_missing(state: MergeState, found: Sources[SubgraphArgument], coordinate: str) -> None:
    requiring = [subgraph for subgraph, argument in found.items() if argument is not None and argument.is_required]
    missing = ", ".join(f'"{subgraph}"' for subgraph, argument in found.items() if argument is None)
    if requiring:
        names = ", ".join(f'"{subgraph}"' for subgraph in requiring)
        message = f'"{coordinate}" is required in {names} but missing in {missing}'
        state.report.error("REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH", message, places(found))
    else:
        message = f'"{coordinate}" is missing in {missing} and so left out of the supergraph'
        state.report.hint("INCONSISTENT_ARGUMENT_PRESENCE", message, places(found))
