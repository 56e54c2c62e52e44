"""Contracts: variants of a supergraph for part of its clients, made of the @tag applications.

Excluded tags win: every element that carries one is hidden. With included tags, fields, input fields and enum values
stay where they or their type carry one of them; a type stays where it carries one or has something left in it. Unions
and scalars, which others give their meaning, stay unless they are excluded; arguments go with their field. Types that
become empty are hidden as well. Hiding is @inaccessible: plans still use what clients cannot see, and the rules of
@inaccessible say what the contract breaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from graphql import StringValueNode, parse_const_value

from gateway.composition.federation_spec import APOLLO, specification_directives
from gateway.composition.law import VISIBILITY_RULES
from gateway.composition.merge.directive_definitions import specified_definition
from gateway.composition.report import Report
from gateway.composition.stages import Composed, CompositionFailed, MergedSupergraph, ValidSubgraph
from gateway.graphql_kit.type_refs import TypeRef, named_type
from gateway.supergraph.api_schema import inaccessible_directive
from gateway.supergraph.links import link_specification, linked_directive
from gateway.supergraph.model import (
    Argument,
    DirectiveApplication,
    EnumType,
    EnumValue,
    Field,
    InputField,
    InputObjectType,
    InterfaceType,
    LinkedSpecification,
    ObjectType,
    ScalarType,
    SubgraphName,
    Supergraph,
    TypeDefinition,
    UnionType,
)

__all__ = ["Contract", "apply_contract"]

_Member = TypeVar("_Member", Field, InputField, EnumValue, Argument)
_Element = TypeVar("_Element", bound=TypeDefinition | Field | InputField | EnumValue | Argument)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a variant shows. No `include`: everything that is not excluded.

    `hide_unreachable`: also hide types that no operation and no argument can reach.
    """

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    hide_unreachable: bool = False


def apply_contract(
    supergraph: Supergraph, contract: Contract, subgraphs: Mapping[SubgraphName, ValidSubgraph] | None = None
) -> Composed | CompositionFailed:
    """The supergraph with everything hidden that the contract leaves out, or what the contract would break.

    `subgraphs`: where they are known, diagnostics tell places in them.
    """
    variant = _Filter(supergraph, contract).run()
    report = Report()
    merged = MergedSupergraph(variant, subgraphs or {})
    unknown = sorted((contract.include | contract.exclude) - _known_tags(supergraph))
    if unknown:
        report.hint("CONTRACT_TAG_UNUSED", f"no element carries the tag {', '.join(map(repr, unknown))}")
    for rule in VISIBILITY_RULES:
        rule(merged, report)
    if report.has_errors():
        return CompositionFailed(tuple(report.diagnostics))
    return Composed(variant, tuple(report.diagnostics))


def _tags(directives: Iterable[DirectiveApplication], name: str) -> frozenset[str]:
    values = (parse_const_value(d.arguments["name"]) for d in directives if d.name == name and "name" in d.arguments)
    return frozenset(value.value for value in values if isinstance(value, StringValueNode))


def _known_tags(supergraph: Supergraph) -> frozenset[str]:
    name = linked_directive(supergraph.links, "tag")
    found: set[str] = set()
    for definition in supergraph.types.values():
        found |= _tags(definition.directives, name)
        for member in _members(definition).values():
            found |= _tags(member.directives, name)
            for argument in member.arguments.values() if isinstance(member, Field) else ():
                found |= _tags(argument.directives, name)
    return frozenset(found)


def _members(definition: TypeDefinition) -> Mapping[str, Field | InputField | EnumValue]:
    match definition:
        case ObjectType() | InterfaceType() | InputObjectType():
            return definition.fields
        case EnumType():
            return definition.values
        case UnionType() | ScalarType():
            return {}


class _Filter:
    def __init__(self, supergraph: Supergraph, contract: Contract) -> None:
        self.supergraph = supergraph
        self.contract = contract
        self.tag = linked_directive(supergraph.links, "tag")
        self.inaccessible = inaccessible_directive(supergraph)
        self.types: dict[str, TypeDefinition] = dict(supergraph.types)

    def run(self) -> Supergraph:
        for name, definition in self.supergraph.types.items():
            if definition.joins:  # types that no subgraph has only serve the arguments of composed directives
                self.types[name] = self.filtered(definition)
        self.hide_empty()
        if self.contract.hide_unreachable:
            self.hide(self.types.keys() - self.reachable())
        return self.with_definition(replace(self.supergraph, types=self.types))

    def is_hidden(self, directives: Iterable[DirectiveApplication]) -> bool:
        return any(directive.name == self.inaccessible for directive in directives)

    def filtered(self, definition: TypeDefinition) -> TypeDefinition:
        tags = _tags(definition.directives, self.tag)
        if tags & self.contract.exclude:
            return self.hidden(definition)
        is_included = not self.contract.include or bool(tags & self.contract.include)
        match definition:
            case ObjectType() | InterfaceType():
                fields = {n: self.member(f, is_included=is_included) for n, f in definition.fields.items()}
                arguments = {n: replace(f, arguments=self.arguments(f)) for n, f in fields.items()}
                return replace(definition, fields=arguments)
            case InputObjectType():
                return replace(
                    definition,
                    fields={n: self.member(f, is_included=is_included) for n, f in definition.fields.items()},
                )
            case EnumType():
                return replace(
                    definition,
                    values={n: self.member(v, is_included=is_included) for n, v in definition.values.items()},
                )
            case UnionType() | ScalarType():
                return definition

    def member(self, member: _Member, *, is_included: bool) -> _Member:
        tags = _tags(member.directives, self.tag)
        if tags & self.contract.exclude or not (is_included or tags & self.contract.include):
            return self.hidden(member)
        return member

    def arguments(self, field: Field) -> dict[str, Argument]:
        return {name: self.member(argument, is_included=True) for name, argument in field.arguments.items()}

    def hidden(self, element: _Element) -> _Element:
        if self.is_hidden(element.directives):
            return element
        return replace(element, directives=(*element.directives, DirectiveApplication(self.inaccessible)))

    def hide(self, names: Iterable[str]) -> None:
        for name in names:
            definition = self.types[name]
            if definition.joins:
                self.types[name] = self.hidden(definition)

    def hide_empty(self) -> None:
        """Hide types without anything left; a union may become empty by that, so this repeats until nothing does."""
        changed = True
        while changed:
            empty = [name for name, t in self.types.items() if not self.is_hidden(t.directives) and self.is_empty(t)]
            self.hide(empty)
            changed = bool(empty)

    def is_empty(self, definition: TypeDefinition) -> bool:
        if isinstance(definition, UnionType):
            return all(self.is_hidden(self.types[member].directives) for member in definition.members)
        members = _members(definition)
        return bool(members) and all(self.is_hidden(member.directives) for member in members.values())

    def reachable(self) -> set[str]:
        """Visible types that clients can get at, from the roots and the arguments of executable directives."""
        supergraph = self.supergraph
        implementers: dict[str, list[str]] = {}
        for name, definition in self.types.items():
            for interface in definition.interfaces if isinstance(definition, ObjectType | InterfaceType) else ():
                implementers.setdefault(interface, []).append(name)
        roots = (supergraph.query_type, supergraph.mutation_type, supergraph.subscription_type)
        waiting = [name for name in roots if name is not None]
        for directive in supergraph.directive_definitions.values():
            waiting += [named_type(argument.type) for argument in directive.arguments.values()]
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            reached = self.types.get(name)
            if reached is None or name in found or self.is_hidden(reached.directives):
                continue
            found.add(name)
            waiting += [named_type(ref) for ref in self.references(reached)]
            if isinstance(reached, InterfaceType):
                waiting += implementers.get(name, [])
            if isinstance(reached, ObjectType | InterfaceType):
                waiting += reached.interfaces
            if isinstance(reached, UnionType):
                waiting += reached.members
        return found

    def references(self, definition: TypeDefinition) -> Iterable[TypeRef]:
        for member in _members(definition).values():
            if isinstance(member, EnumValue) or self.is_hidden(member.directives):
                continue
            yield member.type
            for argument in member.arguments.values() if isinstance(member, Field) else ():
                if not self.is_hidden(argument.directives):
                    yield argument.type

    def with_definition(self, supergraph: Supergraph) -> Supergraph:
        """With what @inaccessible needs to be understood, where the supergraph did not use it yet."""
        if self.inaccessible in supergraph.directive_definitions:
            return supergraph
        (specification,) = specification_directives(f"{APOLLO}/inaccessible", (0, 2))
        definitions = {
            **supergraph.directive_definitions,
            self.inaccessible: specified_definition(self.inaccessible, specification),
        }
        links = supergraph.links
        if not any(link_specification(link) == "inaccessible" for link in links):
            own = LinkedSpecification(f"{APOLLO}/inaccessible/v0.2", purpose="SECURITY")
            links = tuple(sorted((*links, own), key=lambda link: link.url))
        return replace(supergraph, directive_definitions=dict(sorted(definitions.items())), links=links)
