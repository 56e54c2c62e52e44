"""Which directives the supergraph carries: the specifications' own that compose by default, and @composeDirective's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import StringValueNode

from gateway.composition.federation_spec import (
    APOLLO,
    FEDERATION_IDENTITY,
    LINK_IDENTITY,
    SPECIFICATIONS,
    DirectiveSpecification,
    Merging,
    federation_directives,
)
from gateway.composition.report import Place, Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import (
    DirectiveUse,
    Element,
    Link,
    SubgraphDirective,
    SubgraphSchema,
)
from gateway.supergraph.model import SubgraphName

__all__ = ["ComposedDirective", "ComposedDirectives", "find_composed_directives"]

_BUILT_IN = frozenset({"deprecated", "specifiedBy", "oneOf", "skip", "include"})
_NOT_COMPOSABLE = frozenset(
    {LINK_IDENTITY, FEDERATION_IDENTITY, f"{APOLLO}/core", f"{APOLLO}/join", f"{APOLLO}/source", *SPECIFICATIONS}
)


@dataclass(frozen=True, slots=True)
class ComposedDirective:
    """One directive that @composeDirective brings into the supergraph.

    `own_name` is the specification's name for it, `definition` the one of the newest linked version.
    """

    name: str
    own_name: str
    link: Link
    definition: SubgraphDirective
    definition_subgraph: SubgraphName


@dataclass(slots=True)
class ComposedDirectives:
    """`by_role`: default-composed directives in use and their name; `custom`: by name, with the subgraphs that ask."""

    by_role: dict[str, tuple[str, DirectiveSpecification]] = field(default_factory=dict)
    custom: dict[str, ComposedDirective] = field(default_factory=dict)
    composed_by: dict[SubgraphName, set[str]] = field(default_factory=dict)

    def is_merged(self, subgraph: SubgraphName, use: DirectiveUse) -> bool:
        """Whether this application reaches the supergraph."""
        if use.role is not None:
            return use.role in self.by_role
        return use.name in self.composed_by.get(subgraph, ()) or use.name in ("deprecated", "specifiedBy")

    @property
    def inaccessible(self) -> str | None:
        """What @inaccessible is called; None where nobody uses it."""
        found = self.by_role.get("inaccessible")
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class _Request:
    subgraph: SubgraphName
    place: Place
    link: Link
    own_name: str
    name: str


def find_composed_directives(subgraphs: Mapping[SubgraphName, ValidSubgraph], report: Report) -> ComposedDirectives:
    """What is to be composed, with everything that stands against it reported."""
    result = ComposedDirectives()
    _find_default_composed(subgraphs, result, report)
    _find_custom(subgraphs, result, report)
    return result


def _find_default_composed(
    subgraphs: Mapping[SubgraphName, ValidSubgraph], result: ComposedDirectives, report: Report
) -> None:
    specifications = {d.name: d for d in federation_directives((2, 15)) if d.merging is not Merging.NONE}
    places: dict[str, list[Place]] = {}
    names: dict[str, dict[str, SubgraphName]] = {}
    for name, subgraph in subgraphs.items():
        for use in _all_uses(subgraph.schema):
            if use.role in specifications:
                places.setdefault(use.role, []).append((name, use.node))
                names.setdefault(use.role, {}).setdefault(use.name, name)
    for role, by_name in names.items():
        if len(by_name) > 1:
            said = ", ".join(f'"@{local}" in "{subgraph}"' for local, subgraph in by_name.items())
            message = f"@{role} must have the same name in all subgraphs, but it is {said}"
            report.error("LINK_IMPORT_NAME_MISMATCH", message, places[role])
        result.by_role[role] = (next(iter(by_name)), specifications[role])
    if "context" in result.by_role:  # its specification is two directives, although one is consumed by the join model
        specification = next(d for d in federation_directives((2, 15)) if d.name == "fromContext")
        result.by_role["fromContext"] = ("context__fromContext", specification)


def _all_uses(schema: SubgraphSchema) -> list[DirectiveUse]:
    elements: list[Element] = []
    for definition in schema.types.values():
        elements += [definition, *definition.values.values(), *definition.inputs.values()]
        for member in definition.fields.values():
            elements += [member, *member.arguments.values()]
    for directive in schema.directives.values():
        elements += directive.arguments.values()
    return [*schema.uses, *(use for element in elements for use in element.uses)]


def _find_custom(subgraphs: Mapping[SubgraphName, ValidSubgraph], result: ComposedDirectives, report: Report) -> None:
    requests = [
        request
        for name, subgraph in subgraphs.items()
        for use in subgraph.schema.uses
        if use.role == "composeDirective"
        and (request := _read_request(name, subgraph.schema, use, subgraphs, report)) is not None
    ]
    _hint_on_other_majors(subgraphs, {request.link.identity for request in requests}, report)
    newest = {
        identity: latest
        for identity in dict.fromkeys(request.link.identity for request in requests)
        if (latest := _newest_link(identity, subgraphs, requests, report)) is not None
    }
    refused = _inconsistent_names(requests, report)
    for request in requests:
        if request.link.identity not in newest or request.name in refused:
            continue
        link = newest[request.link.identity]
        found = _definition(link, request.own_name, subgraphs)
        if found is None:
            message = f'no subgraph that links {link.url} defines "@{request.name}", which is to be composed'
            report.error("DIRECTIVE_COMPOSITION_ERROR", message, [request.place])
            refused.add(request.name)
            continue
        result.composed_by.setdefault(request.subgraph, set()).add(request.name)
        result.custom.setdefault(
            request.name, ComposedDirective(request.name, request.own_name, link, found[1], found[0])
        )


def _read_request(
    name: SubgraphName,
    schema: SubgraphSchema,
    use: DirectiveUse,
    subgraphs: Mapping[SubgraphName, ValidSubgraph],
    report: Report,
) -> _Request | None:
    place: Place = (name, use.node)

    def refuse(message: str) -> None:
        report.error("DIRECTIVE_COMPOSITION_ERROR", f'@composeDirective in "{name}": {message}', [place])

    value = use.arguments.get("name")
    text = value.value if isinstance(value, StringValueNode) else ""
    if not text:
        refuse("its name is missing or empty")
        return None
    if not text.startswith("@"):
        refuse(f'"{text}" must begin with "@"')
        return None
    local = text.removeprefix("@")
    if local in _BUILT_IN:  # GraphQL's own are kept anyway
        return None
    source = _source(schema, local)
    if local not in schema.directives and not (source and source[0].identity in _NOT_COMPOSABLE):
        refuse(f'this subgraph does not define "{text}"')
        return None
    if source is None:
        refuse(f'"{text}" belongs to no linked specification: import it with @link')
        return None
    link, own_name = source
    if link.identity in _NOT_COMPOSABLE:
        _refuse_known(own_name, text, place, report, refuse_message=f'"{text}" cannot be composed')
        return None
    for role in ("tag", "inaccessible"):
        if any(local == _role_name(subgraph.schema, role) for subgraph in subgraphs.values()):
            refuse(f'"{text}" is the name of the federation directive @{role} in some subgraph')
            return None
    return _Request(name, place, link, own_name, local)


def _refuse_known(own_name: str, text: str, place: Place, report: Report, *, refuse_message: str) -> None:
    composed_anyway = {d.name for d in federation_directives((2, 15)) if d.merging is not Merging.NONE}
    if own_name in composed_anyway - {"cost", "listSize", "cacheTag"}:
        message = f'"{text}" is composed by itself; @composeDirective is not needed for it'
        report.hint("DIRECTIVE_COMPOSITION_INFO", message, [place])
    else:
        report.error("DIRECTIVE_COMPOSITION_ERROR", refuse_message, [place])


def _source(schema: SubgraphSchema, directive: str) -> tuple[Link, str] | None:
    for link in schema.links:
        own = link.own_directive_name(directive)
        if own is not None and link.directive_name(own) == directive:
            return link, own
    return None


def _role_name(schema: SubgraphSchema, role: str) -> str:
    federation = next((link for link in schema.links if link.identity == FEDERATION_IDENTITY), None)
    return federation.directive_name(role) if federation else role


def _newest_link(
    identity: str,
    subgraphs: Mapping[SubgraphName, ValidSubgraph],
    requests: list[_Request],
    report: Report,
) -> Link | None:
    asking = {request.subgraph for request in requests if request.link.identity == identity}
    links = [(name, link) for name, s in subgraphs.items() for link in s.schema.links if link.identity == identity]
    composed = [(name, link) for name, link in links if name in asking]
    majors = {link.version[0] for _, link in composed}
    if len(majors) > 1:
        message = (
            f'"{identity}" is to be composed in different major versions: {", ".join(link.url for _, link in composed)}'
        )
        report.error("DIRECTIVE_COMPOSITION_ERROR", message, [(name, link.node) for name, link in composed])
        return None
    newest_name, newest = max(composed, key=lambda pair: pair[1].version)
    others = [(name, link) for name, link in links if link.version[0] not in majors]
    if others:
        message = f'"{identity}" is linked in other major versions by subgraphs that do not compose it'
        report.hint("DIRECTIVE_COMPOSITION_INFO", message, [(name, link.node) for name, link in others])
    elif any(link.version > newest.version for _, link in links):
        newer = max(links, key=lambda pair: pair[1].version)
        message = f'{newer[1].url} in "{newer[0]}" is newer than {newest.url} in "{newest_name}", which is composed'
        report.hint("DIRECTIVE_COMPOSITION_INFO", message, [(newer[0], newer[1].node)])
    return newest


def _hint_on_other_majors(subgraphs: Mapping[SubgraphName, ValidSubgraph], composed: set[str], report: Report) -> None:
    """A specification that nobody composes, linked in versions that do not go together."""
    linked: dict[str, list[tuple[SubgraphName, Link]]] = {}
    for name, subgraph in subgraphs.items():
        for link in subgraph.schema.links:
            linked.setdefault(link.identity, []).append((name, link))
    for identity, links in linked.items():
        if identity not in composed and len({link.version[0] for _, link in links}) > 1:
            message = f'"{identity}" is linked in different major versions'
            report.hint("DIRECTIVE_COMPOSITION_INFO", message, [(name, link.node) for name, link in links])


def _inconsistent_names(requests: list[_Request], report: Report) -> set[str]:
    refused: set[str] = set()
    by_name: dict[str, list[_Request]] = {}
    by_own_name: dict[str, list[_Request]] = {}
    for request in requests:
        by_name.setdefault(request.name, []).append(request)
        by_own_name.setdefault(request.own_name, []).append(request)
    for name, group in by_name.items():
        if len({request.own_name for request in group}) > 1:
            message = f'"@{name}" does not stand for the same directive in every subgraph that composes it'
            report.error("DIRECTIVE_COMPOSITION_ERROR", message, [request.place for request in group])
            refused.add(name)
        if len({request.link.identity for request in group}) > 1:
            message = f'"@{name}" does not come from the same specification in every subgraph that composes it'
            report.error("DIRECTIVE_COMPOSITION_ERROR", message, [request.place for request in group])
            refused.add(name)
    for own_name, group in by_own_name.items():
        names = sorted({request.name for request in group})
        if len(names) > 1:
            message = f'"@{own_name}" is composed under different names: {", ".join(f"@{name}" for name in names)}'
            report.error("DIRECTIVE_COMPOSITION_ERROR", message, [request.place for request in group])
            refused |= set(names)
    return refused


def _definition(
    link: Link, own_name: str, subgraphs: Mapping[SubgraphName, ValidSubgraph]
) -> tuple[SubgraphName, SubgraphDirective] | None:
    """The definition in a subgraph that links exactly this version; the last such subgraph decides."""
    for name, subgraph in reversed(list(subgraphs.items())):
        for own in subgraph.schema.links:
            if own.identity == link.identity and own.version == link.version:
                found = subgraph.schema.directives.get(own.directive_name(own_name))
                if found is not None:
                    return name, found
    return None
