"""Who may resolve a field together with others: only fields that are @shareable everywhere."""

from __future__ import annotations

from gateway.composition.merge.overrides import Overrides
from gateway.composition.merge.state import MergeState, Sources
from gateway.composition.subgraph_schema import SubgraphField
from gateway.supergraph.model import SubgraphName

__all__ = ["check_sharing", "check_subscription_sharing"]


def check_sharing(
    state: MergeState, sources: Sources[SubgraphField], type_name: str, field_name: str, overrides: Overrides
) -> None:
    """Reports INVALID_FIELD_SHARING; fields of interface objects resolve their implementations' fields."""
    resolving: list[tuple[SubgraphName, SubgraphField]] = []
    for subgraph, source in sources.items():
        if source is None:
            resolving += [(subgraph, own) for own in state.abstracting_fields(type_name, field_name, subgraph)]
        elif subgraph not in overrides.used and subgraph not in overrides.unused:
            resolving.append((subgraph, source))
    resolving = [
        (subgraph, own) for subgraph, own in resolving if not state.subgraphs[subgraph].facts.is_fully_external(own)
    ]
    alone = [subgraph for subgraph, own in resolving if own.coordinate not in state.subgraphs[subgraph].facts.shareable]
    if not alone or len(resolving) < 2:
        return
    everyone = ", ".join(f'"{subgraph}"' for subgraph, _ in resolving)
    unwilling = "all of them" if len(alone) == len(resolving) else ", ".join(f'"{subgraph}"' for subgraph in alone)
    hint = ""
    if any(subgraph in overrides.unknown_sources for subgraph in alone):
        hint = "; an @override of this field names a subgraph that does not exist: is it misspelt?"
    message = f'"{type_name}.{field_name}" is resolved by {everyone} but not @shareable in {unwilling}{hint}'
    state.report.error("INVALID_FIELD_SHARING", message, [(subgraph, own.node) for subgraph, own in resolving])


def check_subscription_sharing(state: MergeState, sources: Sources[SubgraphField], coordinate: str) -> None:
    """A subscription runs in one subgraph, so its root fields are never shared."""
    shared = [(s, f.node) for s, f in sources.items() if f is not None and f.has("shareable")]
    if shared:
        message = f'"{coordinate}" is a subscription and so cannot be @shareable'
        state.report.error("INVALID_FIELD_SHARING", message, shared)
