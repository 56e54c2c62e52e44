"""Composition: subgraph SDL texts → a supergraph, or the diagnostics that say why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.composition.contract import Contract, apply_contract
from gateway.composition.diagnostics import Severity
from gateway.composition.ingest.ingest import ingest
from gateway.composition.ingest.upgrade import upgrade_subgraphs
from gateway.composition.law import SUBGRAPH_RULES, SUPERGRAPH_RULES
from gateway.composition.merge.merge import merge
from gateway.composition.report import Report
from gateway.composition.satisfiability import check_satisfiability
from gateway.composition.stages import (
    Composed,
    CompositionFailed,
    IngestedSubgraph,
    SubgraphSource,
    ValidSubgraph,
)
from gateway.composition.subgraph_facts import gather_facts
from gateway.composition.subgraph_schema import SubgraphSchema
from gateway.graphql_kit.collector import paused_collector
from gateway.supergraph.model import SubgraphName

__all__ = ["compose"]


def compose(sources: Iterable[SubgraphSource], contract: Contract | None = None) -> Composed | CompositionFailed:
    """Composes subgraphs, in the order of their names. Total: never raises, whatever the texts hold.

    `contract`: the variant to make of the whole, which must be sound with and without it.
    """
    with paused_collector():
        return _compose(sources, contract)


def _compose(sources: Iterable[SubgraphSource], contract: Contract | None) -> Composed | CompositionFailed:
    report = Report()
    ingested = _ingest_all(sorted(sources, key=lambda source: source.name), report)
    _check_rules((subgraph.schema for subgraph in ingested if subgraph.schema.federation is not None), report)
    if report.has_errors():
        return _failed(report)
    valid = _upgrade_all(ingested, report)
    if report.has_errors():
        return _failed(report)
    merged = merge(valid, report)
    if merged is None or report.has_errors():
        return _failed(report)
    for rules in SUPERGRAPH_RULES:
        for supergraph_rule in rules:
            supergraph_rule(merged, report)
        if report.has_errors():
            return _failed(report)
    report.diagnostics += check_satisfiability(merged.supergraph)
    if report.has_errors():
        return _failed(report)
    if contract is None:
        return Composed(merged.supergraph, tuple(report.diagnostics))
    variant = apply_contract(merged.supergraph, contract, merged.subgraphs)
    if isinstance(variant, Composed):
        return Composed(variant.supergraph, (*report.diagnostics, *variant.hints))
    return CompositionFailed((*variant.diagnostics, *report.diagnostics))


def _ingest_all(sources: Sequence[SubgraphSource], report: Report) -> list[IngestedSubgraph]:
    _check_names(sources, report)
    found = (ingest(source, report) for source in sources)
    return [subgraph for subgraph in found if subgraph is not None]


def _check_names(sources: Sequence[SubgraphSource], report: Report) -> None:
    if not sources:
        report.error("NO_QUERIES", "there are no subgraphs to compose")
    seen: set[str] = set()
    for source in sources:
        name = SubgraphName(source.name)
        if not name or name == "_":
            message = f'"{name}" cannot name a subgraph: choose a name that is not empty and not "_"'
            report.error("INVALID_SUBGRAPH_NAME", message, [(name, None)])
        if name in seen:
            report.error("INVALID_SUBGRAPH_NAME", f'two subgraphs are named "{name}"', [(name, None)])
        seen.add(name)


def _check_rules(schemas: Iterable[SubgraphSchema], report: Report) -> list[ValidSubgraph]:
    valid = [ValidSubgraph(schema, gather_facts(schema)) for schema in schemas]
    for subgraph in valid:
        for rule in SUBGRAPH_RULES:
            rule(subgraph, report)
    return valid


def _upgrade_all(ingested: Sequence[IngestedSubgraph], report: Report) -> list[ValidSubgraph]:
    """Federation 1 subgraphs become Federation 2 and must then keep its rules as well."""
    schemas = upgrade_subgraphs([subgraph.schema for subgraph in ingested], report)
    failed = {name for diagnostic in report.diagnostics for name in diagnostic.subgraphs}
    upgraded = {i.schema.name for i in ingested if i.schema.federation is None} - failed
    _check_rules((schema for schema in schemas if schema.name in upgraded), report)
    return [ValidSubgraph(schema, gather_facts(schema)) for schema in schemas]


def _failed(report: Report) -> CompositionFailed:
    """Errors first, in the order in which they were found."""
    ordered = sorted(report.diagnostics, key=lambda diagnostic: diagnostic.severity is Severity.HINT)
    return CompositionFailed(tuple(dict.fromkeys(ordered)))
