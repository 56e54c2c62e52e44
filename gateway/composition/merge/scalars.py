"""Custom scalars."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.state import MergeState
from gateway.composition.merge.type_joins import type_joins
from gateway.composition.subgraph_schema import SubgraphType
from gateway.supergraph.model import ScalarType, SubgraphName

__all__ = ["merge_scalar"]


def merge_scalar(state: MergeState, name: str, definitions: Mapping[SubgraphName, SubgraphType]) -> ScalarType:
    """The supergraph's scalar; @specifiedBy is kept as its URL."""
    applied = merge_applications(state, definitions, name)
    urls = [d for d in applied if d.name == "specifiedBy"]
    texts = {
        use.text("url") for definition in definitions.values() for use in definition.uses if use.name == "specifiedBy"
    }
    chosen = next(
        (text for text in sorted(t for t in texts if t) if urls and f'"{text}"' == urls[0].arguments["url"]), None
    )
    return ScalarType(
        name=name,
        joins=type_joins(definitions),
        specified_by_url=chosen,
        description=merge_descriptions(state, definitions, f'the scalar "{name}"'),
        directives=tuple(d for d in applied if d.name != "specifiedBy"),
    )
