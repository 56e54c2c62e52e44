"""MISSING_TRANSITIVE_AUTH_REQUIREMENTS: who may read a field may read what it requires, from contexts as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode, parse_const_value

from gateway.composition.report import Report
from gateway.composition.stages import MergedSupergraph
from gateway.graphql_kit.field_set_text import FieldSetInvalid, parse_field_set
from gateway.graphql_kit.printed_values import read_alternatives
from gateway.graphql_kit.type_refs import named_type
from gateway.supergraph.links import link_specification, linked_directive
from gateway.supergraph.model import DirectiveApplication, FieldJoin, InterfaceType, ObjectType, Supergraph, UnionType

__all__ = ["check_missing_transitive_auth_requirements"]

Alternatives = frozenset[frozenset[str]]
_NOTHING: Alternatives = frozenset({frozenset()})


@dataclass(frozen=True, slots=True)
class _Protection:
    """What a client must bring: be known, and hold one of the sets of scopes, and one of the sets of policies."""

    is_authenticated: bool = False
    scopes: Alternatives = _NOTHING
    policies: Alternatives = _NOTHING

    def with_also(self, other: _Protection) -> _Protection:
        return _Protection(
            self.is_authenticated or other.is_authenticated,
            frozenset(a | b for a in self.scopes for b in other.scopes),
            frozenset(a | b for a in self.policies for b in other.policies),
        )

    def covers(self, other: _Protection) -> bool:
        """Whether everybody who passes this protection passes the other."""
        return (
            (self.is_authenticated or not other.is_authenticated)
            and all(any(need <= have for need in other.scopes) for have in self.scopes)
            and all(any(need <= have for need in other.policies) for have in self.policies)
        )


def check_missing_transitive_auth_requirements(merged: MergedSupergraph, report: Report) -> None:
    """Reports requirements that would hand protected data to a field that is less protected."""
    supergraph = merged.supergraph
    names = _directive_names(supergraph)
    if not names:
        return
    for definition in supergraph.types.values():
        if not isinstance(definition, ObjectType | InterfaceType):
            continue
        for field in definition.fields.values():
            for join in field.joins.values():
                if join.requires is None and not join.context_arguments:
                    continue
                own = _read(definition.directives, names).with_also(_read(field.directives, names))
                for coordinate, directives in _read_by(supergraph, definition.name, join):
                    if not own.covers(_read(directives, names)):
                        message = (
                            f'"{definition.name}.{field.name}" needs "{coordinate}", which is better protected: give '
                            "the field the same @authenticated, @requiresScopes and @policy"
                        )
                        report.error("MISSING_TRANSITIVE_AUTH_REQUIREMENTS", message, [(join.subgraph, None)])
                        break


def _read_by(
    supergraph: Supergraph, type_name: str, join: FieldJoin
) -> Iterator[tuple[str, tuple[DirectiveApplication, ...]]]:
    """Everything that has to be read before a subgraph can answer a field."""
    if join.requires is not None:
        yield from _touched(supergraph, type_name, _selections(join.requires))
    directive = linked_directive(supergraph.links, "context")
    for context, selection, _ in join.context_arguments.values():
        for setter in supergraph.types.values():
            if any(d.name == directive and d.arguments.get("name") == f'"{context}"' for d in setter.directives):
                yield setter.name, setter.directives
                members = setter.members if isinstance(setter, UnionType) else (setter.name,)
                for member in members:
                    yield from _touched(supergraph, member, _selections(selection))


def _directive_names(supergraph: Supergraph) -> dict[str, str]:
    """Name in the supergraph → role."""
    names: dict[str, str] = {}
    for link in supergraph.links:
        role = link_specification(link)
        if role in ("authenticated", "requiresScopes", "policy"):
            imported = link.imports.get(f"@{role}")
            names[imported.removeprefix("@") if imported else (link.prefix or role)] = role
    return names


def _selections(text: str) -> SelectionSetNode:
    try:
        return parse_field_set(text)
    except FieldSetInvalid:  # merged field sets are canonical already
        return SelectionSetNode(selections=())


def _read(directives: tuple[DirectiveApplication, ...], names: dict[str, str]) -> _Protection:
    found = _Protection()
    for directive in directives:
        match names.get(directive.name):
            case "authenticated":
                found = found.with_also(_Protection(is_authenticated=True))
            case "requiresScopes":
                found = found.with_also(_Protection(scopes=_alternatives(directive, "scopes")))
            case "policy":
                found = found.with_also(_Protection(policies=_alternatives(directive, "policies")))
            case _:
                continue
    return found


def _alternatives(directive: DirectiveApplication, argument: str) -> Alternatives:
    text = directive.arguments.get(argument)
    return (read_alternatives(parse_const_value(text)) if text is not None else frozenset()) or _NOTHING


def _touched(
    supergraph: Supergraph, type_name: str, selections: SelectionSetNode
) -> Iterator[tuple[str, tuple[DirectiveApplication, ...]]]:
    """Everything that a selection reads: fields, their types, and the types that it narrows to."""
    definition = supergraph.types.get(type_name)
    for selection in selections.selections:
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition.name.value if selection.type_condition else type_name
            if condition in supergraph.types:
                yield condition, supergraph.types[condition].directives
            yield from _touched(supergraph, condition, selection.selection_set)
        elif isinstance(selection, FieldNode) and isinstance(definition, ObjectType | InterfaceType):
            field = definition.fields.get(selection.name.value)
            if field is None:
                continue
            yield f"{type_name}.{field.name}", field.directives
            target = named_type(field.type)
            if target in supergraph.types:
                yield f"{type_name}.{field.name}", supergraph.types[target].directives
            if selection.selection_set is not None:
                yield from _touched(supergraph, target, selection.selection_set)
