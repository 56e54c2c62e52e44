"""Arguments that are filled from contexts: clients do not see them, and the supergraph says where values come from."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.context_uses import uses_on
from gateway.composition.merge.state import MergeState
from gateway.composition.report import Place
from gateway.composition.subgraph_schema import SubgraphDirective, SubgraphField
from gateway.graphql_kit.type_refs import TypeRef
from gateway.supergraph.model import SubgraphName

__all__ = ["contextual_arguments", "filled_arguments"]

Owners = Mapping[SubgraphName, SubgraphField | SubgraphDirective]


def filled_arguments(
    state: MergeState, subgraph: SubgraphName, field: SubgraphField
) -> dict[str, tuple[str, str, TypeRef]]:
    """Argument → its context under the name that it has in the supergraph, the selection, and the argument's type."""
    parent = state.subgraphs[subgraph].schema.types[field.parent]
    return {
        use.argument.name: (f"{subgraph}__{use.context}", use.merged_selection, use.argument.type)
        for use in uses_on(parent, field)
        if use.context is not None
    }


def contextual_arguments(state: MergeState, owners: Owners, coordinate: str) -> frozenset[str]:
    """The arguments that some subgraph fills from a context; who needs one from the client all the same is reported."""
    names = [
        argument.name
        for owner in owners.values()
        for argument in owner.arguments.values()
        if argument.has("fromContext")
    ]
    for name in dict.fromkeys(names):
        others = {
            subgraph: owner.arguments[name]
            for subgraph, owner in owners.items()
            if name in owner.arguments and not owner.arguments[name].has("fromContext")
        }
        if not others:
            continue
        where: list[Place] = [(subgraph, argument.node) for subgraph, argument in others.items()]
        said = ", ".join(f'"{subgraph}"' for subgraph in others)
        message = (
            f'"{coordinate}({name}:)" is filled from a context in some subgraphs, and so hidden, but not in {said}'
        )
        if any(argument.is_required for argument in others.values()):
            message += ", where it is required: make it optional there or fill it from a context, too"
            state.report.error("CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS", message, where)
        else:
            state.report.hint("CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS", message, where)
    return frozenset(names)
