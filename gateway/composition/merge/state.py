"""What the merging functions share: the subgraphs, the report, and what has been learned on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from gateway.composition.merge.composed_directives import ComposedDirectives
from gateway.composition.report import Place, Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import Element, SubgraphField, SubgraphType, TypeKind
from gateway.graphql_kit.type_refs import ListRef as ListOf
from gateway.graphql_kit.type_refs import NamedRef, NonNullRef, TypeRef
from gateway.supergraph.model import SubgraphName

__all__ = ["EnumUse", "MergeState", "Sources", "places", "present"]

ElementT = TypeVar("ElementT", bound=Element)
Sources: TypeAlias = Mapping[SubgraphName, ElementT | None]
"""One element in all subgraphs that have its parent; None where the subgraph lacks the element."""


@dataclass(slots=True)
class EnumUse:
    """Where an enum is used, with an example of each position."""

    as_input: str | None = None
    as_output: str | None = None


def present(sources: Sources[ElementT]) -> dict[SubgraphName, ElementT]:
    """The sources that have the element."""
    return {name: source for name, source in sources.items() if source is not None}


def places(sources: Sources[ElementT]) -> list[Place]:
    """Where the element stands, for diagnostics."""
    return [(name, source.node) for name, source in sources.items() if source is not None]


@dataclass(slots=True)
class MergeState:
    """Lives for one merge. `interfaces` and `members` are the supergraph's, known before fields are merged."""

    subgraphs: Mapping[SubgraphName, ValidSubgraph]
    report: Report
    directives: ComposedDirectives
    graph_enums: Mapping[SubgraphName, str]
    kinds: dict[str, TypeKind] = field(default_factory=dict)
    interfaces: dict[str, tuple[str, ...]] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    enum_uses: dict[str, EnumUse] = field(default_factory=dict)
    interface_objects: dict[str, dict[SubgraphName, SubgraphType]] = field(default_factory=dict)
    implementations: dict[str, list[str]] = field(default_factory=dict)
    """Interface → the objects that implement it in the supergraph, sorted."""

    def is_external(self, subgraph: SubgraphName, element: SubgraphField) -> bool:
        """Declared there but resolved elsewhere."""
        return self.subgraphs[subgraph].facts.is_external(element)

    def possible_types(self, interface: str) -> list[str]:
        """The objects that implement an interface in the supergraph, sorted."""
        return self.implementations.get(interface, [])

    def abstracting_fields(self, type_name: str, field_name: str, subgraph: SubgraphName) -> list[SubgraphField]:
        """The fields of interface objects in a subgraph that stand for a field of an object type it does not know."""
        if self.kinds.get(type_name) is not TypeKind.OBJECT:
            return []
        if type_name in self.subgraphs[subgraph].schema.types:
            return []
        found = []
        for interface in self.interfaces.get(type_name, ()):
            definition = self.interface_objects.get(interface, {}).get(subgraph)
            if definition is not None and field_name in definition.fields:
                found.append(definition.fields[field_name])
        return found

    def is_strict_subtype(self, wide: TypeRef, narrow: TypeRef) -> bool:
        """Whether `narrow` always fits where `wide` is expected, and is not the same type."""
        match wide, narrow:
            case NonNullRef(), NonNullRef():
                return self.is_strict_subtype(wide.of, narrow.of)
            case _, NonNullRef():
                return wide == narrow.of or self.is_strict_subtype(wide, narrow.of)
            case ListOf(), ListOf():
                return self.is_strict_subtype(wide.of, narrow.of)
            case NamedRef(), NamedRef():
                in_union = narrow.name in self.members.get(wide.name, ())
                return in_union or wide.name in self.interfaces.get(narrow.name, ())
            case _:
                return False
