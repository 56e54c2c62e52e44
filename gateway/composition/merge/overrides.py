"""@override: which subgraph's field is taken over by which, and what stands against it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.composition.merge.state import MergeState, Sources, present
from gateway.composition.report import Place
from gateway.composition.subgraph_schema import DirectiveUse, SubgraphField, TypeKind
from gateway.supergraph.model import SubgraphName

__all__ = ["Overrides", "find_overrides"]

_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_\-:./]*")
_PERCENT = re.compile(r"percent\((\d{1,2}(\.\d{1,8})?|100)\)")


@dataclass(slots=True)
class Overrides:
    """What the overrides of one field amount to.

    `used` and `unused`: overridden subgraphs, whose field is or is not needed there otherwise; `labels`: gradual
    moves, for both sides; `unknown_sources`: subgraphs whose override names one that is not there.
    """

    used: set[SubgraphName] = field(default_factory=set)
    unused: set[SubgraphName] = field(default_factory=set)
    labels: dict[SubgraphName, str] = field(default_factory=dict)
    unknown_sources: set[SubgraphName] = field(default_factory=set)


def find_overrides(state: MergeState, sources: Sources[SubgraphField], type_name: str, field_name: str) -> Overrides:
    """What the overrides of one field amount to; problems are reported."""
    overrides = Overrides()
    overriding = {
        subgraph: use
        for subgraph, source in present(sources).items()
        if (use := next(iter(source.using("override")), None)) is not None
    }
    for subgraph, use in overriding.items():
        _Check(state, sources, overriding, f"{type_name}.{field_name}", overrides).one(subgraph, use)
    return overrides


@dataclass(slots=True)
class _Check:
    state: MergeState
    sources: Sources[SubgraphField]
    overriding: dict[SubgraphName, DirectiveUse]
    coordinate: str
    overrides: Overrides

    def one(self, subgraph: SubgraphName, use: DirectiveUse) -> None:
        place: Place = (subgraph, use.node)
        report = self.state.report
        owner = self.state.subgraphs[subgraph].schema.types[self.coordinate.split(".")[0]]
        if owner.kind is TypeKind.INTERFACE:
            message = f'@override on "{self.coordinate}" in "{subgraph}": it belongs to an interface'
            report.error("OVERRIDE_ON_INTERFACE", message, [place])
            return
        if owner.is_interface_object:
            message = f'@override on "{self.coordinate}" in "{subgraph}": interface objects cannot take over fields'
            report.error("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", message, [place])
            return
        origin = SubgraphName(use.text("from") or "")
        if origin not in self.state.subgraphs:
            self.overrides.unknown_sources.add(subgraph)
            message = f'"{self.coordinate}" in "{subgraph}" overrides "{origin}", which is no subgraph'
            report.hint("FROM_SUBGRAPH_DOES_NOT_EXIST", message, [place])
        elif origin == subgraph:
            message = f'"{self.coordinate}" in "{subgraph}" overrides itself'
            report.error("OVERRIDE_FROM_SELF_ERROR", message, [place])
        elif origin in self.overriding:
            message = (
                f'"{self.coordinate}" has @override both in "{subgraph}" and in "{origin}", from where it is taken'
            )
            report.error("OVERRIDE_SOURCE_HAS_OVERRIDE", message, [place, (origin, self.overriding[origin].node)])
        else:
            self._from_other(subgraph, use, origin, place)

    def _from_other(self, subgraph: SubgraphName, use: DirectiveUse, origin: SubgraphName, place: Place) -> None:
        report = self.state.report
        overridden = self.sources.get(origin)
        if overridden is None:
            type_name, field_name = self.coordinate.split(".")
            if self.state.abstracting_fields(type_name, field_name, origin):
                message = (
                    f'"{self.coordinate}" in "{subgraph}" overrides "{origin}", which has the field only on an '
                    "interface object; that cannot be taken over"
                )
                report.error("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", message, [place])
                return
            message = f'"{self.coordinate}" is no longer in "{origin}": @override in "{subgraph}" can be removed'
            report.hint("OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", message, [place])
            return
        own = self.sources[subgraph]
        collision = next((role for role in ("requires", "provides") if overridden.has(role)), None)
        if collision is None and own is not None and self.state.is_external(subgraph, own):
            collision = "external"
        if collision is not None:
            message = f'"{self.coordinate}" cannot be overridden in "{subgraph}": @{collision} stands against it'
            places = [place, (origin, overridden.node)]
            report.error("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", message, places)
            return
        self._take_over(subgraph, use, origin, overridden)

    def _take_over(
        self, subgraph: SubgraphName, use: DirectiveUse, origin: SubgraphName, overridden: SubgraphField
    ) -> None:
        report = self.state.report
        label = use.text("label")
        facts = self.state.subgraphs[origin].facts
        here: list[Place] = [(subgraph, use.node)]
        there: list[Place] = [(origin, overridden.node)]
        is_used = overridden.coordinate in facts.used
        if facts.is_external(overridden):
            message = f'"{self.coordinate}" is @external in "{origin}": @override in "{subgraph}" can be removed'
            report.hint("OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", message, here)
        else:
            (self.overrides.used if is_used else self.overrides.unused).add(origin)
            if not label:
                still = ", though keys or requirements still name it" if is_used else ""
                message = f'"{self.coordinate}" in "{origin}" is overridden and can be removed{still}'
                report.hint("OVERRIDDEN_FIELD_CAN_BE_REMOVED", message, there)
        if not label:
            return
        if _LABEL.fullmatch(label) or _PERCENT.fullmatch(label):
            self.overrides.labels[subgraph] = label
            self.overrides.labels[origin] = label
        else:
            message = (
                f'the label "{label}" on "{self.coordinate}" in "{subgraph}" is malformed: write a letter followed by '
                'letters, digits or any of _-:./, or "percent(0-100)" with at most eight decimals'
            )
            report.error("OVERRIDE_LABEL_INVALID", message, here)
        message = f'"{self.coordinate}" is being moved from "{origin}" to "{subgraph}"'
        report.hint("OVERRIDE_MIGRATION_IN_PROGRESS", message, there)
