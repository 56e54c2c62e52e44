"""What goes from stage to stage of composition; each stage has its own type, so that none can be skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.composition.diagnostics import Diagnostic
from gateway.composition.subgraph_facts import SubgraphFacts
from gateway.composition.subgraph_schema import SubgraphSchema
from gateway.supergraph.model import SubgraphName, Supergraph

__all__ = ["Composed", "CompositionFailed", "IngestedSubgraph", "MergedSupergraph", "SubgraphSource", "ValidSubgraph"]


@dataclass(frozen=True, slots=True)
class SubgraphSource:
    """What composition starts from: a subgraph's name, SDL text and address."""

    name: str
    sdl: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class IngestedSubgraph:
    """A subgraph whose text is valid GraphQL and whose federation directives are resolved."""

    schema: SubgraphSchema


@dataclass(frozen=True, slots=True)
class ValidSubgraph:
    """A subgraph that keeps the rules of a Federation 2 subgraph (upgraded where it was Federation 1)."""

    schema: SubgraphSchema
    facts: SubgraphFacts


@dataclass(frozen=True, slots=True)
class MergedSupergraph:
    """The merged schema, not yet known to be sound as a whole."""

    supergraph: Supergraph
    subgraphs: Mapping[SubgraphName, ValidSubgraph]


@dataclass(frozen=True, slots=True)
class Composed:
    """Success: the supergraph, and hints worth reading."""

    supergraph: Supergraph
    hints: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class CompositionFailed:
    """Failure: at least one error; hints found until then stand at the end."""

    diagnostics: tuple[Diagnostic, ...]
