"""Applied directives of many subgraphs → those of the supergraph's element."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from graphql import ConstValueNode, IntValueNode, print_ast

from gateway.composition.federation_spec import DirectiveSpecification, Merging
from gateway.composition.merge.state import ElementT, MergeState, Sources
from gateway.composition.report import Place
from gateway.composition.subgraph_schema import DirectiveUse
from gateway.graphql_kit.printed_values import conjunction_of_disjunctions
from gateway.supergraph.model import DirectiveApplication, SubgraphName

__all__ = ["merge_applications"]

Applied = dict[str, list[tuple[SubgraphName, DirectiveUse]]]


def merge_applications(
    state: MergeState,
    sources: Sources[ElementT],
    coordinate: str,
    extra: Iterable[tuple[SubgraphName, DirectiveUse]] = (),
) -> tuple[DirectiveApplication, ...]:
    """The supergraph's directives at `coordinate`; `extra` are inherited ones (protection through interfaces)."""
    by_name: Applied = {}
    for subgraph, source in sources.items():
        for use in source.uses if source is not None else ():
            if state.directives.is_merged(subgraph, use):
                by_name.setdefault(use.name, []).append((subgraph, use))
    for subgraph, use in extra:
        by_name.setdefault(use.name, []).append((subgraph, use))
    merged: list[DirectiveApplication] = []
    for name, uses in by_name.items():
        merged += _merge_one(state, name, uses, coordinate)
    return tuple(merged)


def _merge_one(
    state: MergeState, name: str, uses: list[tuple[SubgraphName, DirectiveUse]], coordinate: str
) -> Iterable[DirectiveApplication]:
    role = uses[0][1].role
    if role == "context":  # contexts belong to subgraphs: equal names in two of them are two contexts
        return _distinct(name, ({"name": f'"{subgraph}__{use.text("name")}"'} for subgraph, use in uses))
    specification = state.directives.by_role[role][1] if role is not None else None
    merging = specification.merging if specification else None
    if merging is Merging.JOIN:
        return _as_join_directives(state, uses)
    if merging is Merging.ALL or (specification is None and _is_repeatable(state, name)):
        return _distinct(name, (_printed(use.arguments) for _, use in uses))
    counted = Counter(tuple(sorted(_with_defaults(state, specification, use).items())) for _, use in uses)
    if len(counted) == 1:
        return [DirectiveApplication(name, _printed(uses[0][1].arguments))]
    where: list[Place] = [(subgraph, use.node) for subgraph, use in uses]
    if specification is not None and merging is not Merging.FIRST:
        message = f'@{name} has different arguments on "{coordinate}" in different subgraphs; they are merged'
        state.report.hint("MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", message, where)
        return [DirectiveApplication(name, _merged_arguments(specification, [use for _, use in uses]))]
    message = f'@{name} has different arguments on "{coordinate}" in different subgraphs; the most frequent are taken'
    state.report.hint("INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS", message, where)
    chosen = counted.most_common(1)[0][0]
    first = next(u for _, u in uses if tuple(sorted(_with_defaults(state, specification, u).items())) == chosen)
    return [DirectiveApplication(name, _printed(first.arguments))]


def _distinct(name: str, all_arguments: Iterable[Mapping[str, str]]) -> list[DirectiveApplication]:
    seen: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
    for arguments in all_arguments:
        seen.setdefault(tuple(sorted(arguments.items())), arguments)
    return [DirectiveApplication(name, arguments) for arguments in seen.values()]


def _printed(arguments: Mapping[str, ConstValueNode]) -> dict[str, str]:
    return {name: print_ast(value) for name, value in arguments.items()}


def _is_repeatable(state: MergeState, name: str) -> bool:
    custom = state.directives.custom.get(name)
    return custom is not None and custom.definition.is_repeatable


def _with_defaults(
    state: MergeState, specification: DirectiveSpecification | None, use: DirectiveUse
) -> dict[str, str]:
    defaults: dict[str, str] = {}
    if specification is not None:
        defaults = {name: default for name, _, default in specification.arguments if default is not None}
    elif (custom := state.directives.custom.get(use.name)) is not None:
        arguments = custom.definition.arguments.values()
        defaults = {a.name: print_ast(a.default) for a in arguments if a.default is not None}
    elif use.name == "deprecated":
        defaults = {"reason": '"No longer supported"'}
    return {**defaults, **_printed(use.arguments)}


def _merged_arguments(specification: DirectiveSpecification, uses: list[DirectiveUse]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for name, _, default in specification.arguments:
        values = [use.arguments[name] for use in uses if name in use.arguments]
        if not values:
            continue
        match specification.merging:
            case Merging.ALL_OF:
                merged[name] = conjunction_of_disjunctions(values)
            case Merging.LIST_SIZE if name in ("slicingArguments", "sizedFields"):
                texts = dict.fromkeys(print_ast(item) for value in values for item in getattr(value, "values", ()))
                merged[name] = f"[{', '.join(texts)}]"
            case Merging.LIST_SIZE if name == "requireOneSlicingArgument":
                given = {print_ast(use.arguments[name]) if name in use.arguments else default for use in uses}
                merged[name] = "true" if "true" in given else "false"
            case _:
                numbers = [int(value.value) for value in values if isinstance(value, IntValueNode)]
                merged[name] = str(max(numbers)) if numbers else print_ast(values[0])
    return merged


def _as_join_directives(state: MergeState, uses: list[tuple[SubgraphName, DirectiveUse]]) -> list[DirectiveApplication]:
    graphs: dict[str, list[str]] = {}
    for subgraph, use in uses:
        arguments = ", ".join(f"{name}: {text}" for name, text in _printed(use.arguments).items())
        graphs.setdefault(f"{{{arguments}}}", []).append(state.graph_enums[subgraph])
    return [
        DirectiveApplication(
            "join__directive",
            {"graphs": f"[{', '.join(names)}]", "name": f'"federation__{uses[0][1].role}"', "args": arguments},
        )
        for arguments, names in graphs.items()
    ]
