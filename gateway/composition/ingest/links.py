"""The @link headers of a subgraph: understood strictly, with a diagnostic for everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from graphql import (
    ConstDirectiveNode,
    ConstValueNode,
    EnumValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    print_ast,
)

from gateway.composition.federation_spec import (
    APOLLO,
    FEDERATION_IDENTITY,
    LINK_IDENTITY,
    NEWEST_FEDERATION,
    SPECIFICATIONS,
    federation_directives,
)
from gateway.composition.subgraph_schema import Link
from gateway.supergraph.links import read_link_url

__all__ = ["LinkProblem", "Links", "read_subgraph_links"]

_NAME = re.compile(r"@?[_A-Za-z][_0-9A-Za-z]*")
_UNSUPPORTED = frozenset({f"{APOLLO}/connect", f"{APOLLO}/source"})
_FEDERATION_TYPES = {"FieldSet", "Scope", "Policy", "ContextFieldValue"}
_LINK_ELEMENTS = {"Purpose", "Import", "@link"}

LinkProblem = Callable[[str, str, ConstDirectiveNode | None], None]
"""Reports (code, message, header)."""


class Links:
    """The headers of one document, found by namespace and identity."""

    def __init__(self, links: tuple[Link, ...], link_directive: str | None) -> None:
        self.all = links
        self.link_directive = link_directive
        """What @link itself is called; None where the document has no header."""

    def by_identity(self, identity: str) -> Link | None:
        """The header of one specification."""
        return next((link for link in self.all if link.identity == identity), None)

    def source_of(self, directive: str) -> tuple[Link, str] | None:
        """Which specification a directive of the document belongs to, and its name there."""
        for link in self.all:
            for own, local in link.imports.items():
                if local == f"@{directive}":
                    return link, own.removeprefix("@")
        namespace, found, own_name = directive.partition("__")
        for link in self.all:
            if link.namespace == namespace:
                name = own_name if found else link.specification
                # An element that is imported under another name no longer goes by its prefixed one.
                return (link, name) if f"@{name}" not in link.imports else None
        return None


def read_subgraph_links(directives: Iterable[ConstDirectiveNode], problem: LinkProblem) -> Links:
    """All headers among the directives of a schema; what is wrong goes to `problem`."""
    applied = list(directives)
    link_directive = _link_directive_name(applied)
    if link_directive is None:
        return Links((), None)
    links: list[Link] = []
    for node in applied:
        if node.name.value == link_directive:
            link = _read_link(node, problem)
            if link is not None:
                links.append(link)
    _check_conflicts(links, problem)
    if all(link.identity != LINK_IDENTITY for link in links):
        links.insert(0, Link(LINK_IDENTITY, "link", (1, 0), "link", {}))
    return Links(tuple(links), link_directive)


def _arguments(node: ConstDirectiveNode) -> Mapping[str, ConstValueNode]:
    return {argument.name.value: argument.value for argument in node.arguments or ()}


def _link_directive_name(directives: list[ConstDirectiveNode]) -> str | None:
    """A document may rename @link by a header of the link specification itself."""
    for node in directives:
        arguments = _arguments(node)
        url, name = arguments.get("url"), arguments.get("as")
        if isinstance(url, StringValueNode) and read_link_url(url.value).identity == LINK_IDENTITY:
            expected = name.value if isinstance(name, StringValueNode) else "link"
            if node.name.value == expected:
                return node.name.value
    return "link" if any(node.name.value == "link" for node in directives) else None


def _read_link(node: ConstDirectiveNode, problem: LinkProblem) -> Link | None:
    arguments = _arguments(node)
    url_node = arguments.get("url")
    if url_node is None or isinstance(url_node, NullValueNode):
        problem("INVALID_LINK_DIRECTIVE_USAGE", f'{print_ast(node)} has no argument "url"', node)
        return None
    if not isinstance(url_node, StringValueNode):
        problem("INVALID_GRAPHQL", f"the url of {print_ast(node)} is not a string", node)
        return None
    url = read_link_url(url_node.value)
    is_usable = _check_url(url_node.value, node, problem)
    imports = _read_imports(arguments.get("import"), node, problem)
    purpose = arguments.get("for")
    if purpose is not None and not isinstance(purpose, EnumValueNode | NullValueNode):
        problem("INVALID_GRAPHQL", f"the purpose of {print_ast(node)} is not EXECUTION or SECURITY", node)
    elif isinstance(purpose, EnumValueNode) and purpose.value not in ("EXECUTION", "SECURITY"):
        problem("INVALID_GRAPHQL", f"{purpose.value} is not a purpose; use EXECUTION or SECURITY", node)
    if not is_usable or url.version is None or url.name is None:
        return None
    alias = arguments.get("as")
    namespace = alias.value if isinstance(alias, StringValueNode) else url.name
    if alias is not None and not isinstance(alias, StringValueNode | NullValueNode):
        problem("INVALID_GRAPHQL", f"the name given by {print_ast(node)} is not a string", node)
    if "__" in namespace or not _NAME.fullmatch(namespace) or namespace.endswith("_"):
        problem("INVALID_LINK_DIRECTIVE_USAGE", f'"{namespace}" cannot name a specification in {print_ast(node)}', node)
    link = Link(url.identity, url.name, url.version, namespace, imports, node)
    _check_imported_names(link, problem)
    return link


def _check_url(text: str, node: ConstDirectiveNode, problem: LinkProblem) -> bool:
    url = read_link_url(text)
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        problem("INVALID_LINK_IDENTIFIER", f'"{text}" is not a URL', node)
        return False
    if url.version is None:
        problem("INVALID_LINK_IDENTIFIER", f'"{text}" does not end in a version such as v1.0', node)
        return False
    if url.name is None:
        problem("INVALID_LINK_IDENTIFIER", f'"{text}" names no specification before its version', node)
        return False
    if url.identity == FEDERATION_IDENTITY and not (2, 0) <= url.version <= NEWEST_FEDERATION:
        newest = f"v{NEWEST_FEDERATION[0]}.{NEWEST_FEDERATION[1]}"
        problem("UNKNOWN_FEDERATION_LINK_VERSION", f'"{text}" is not a known version (v2.0 to {newest})', node)
        return False
    if url.identity in _UNSUPPORTED:
        problem("UNSUPPORTED_FEATURE", f'"{text}" is linked, but connectors are not supported here', node)
        return False
    if url.identity == LINK_IDENTITY and url.version != (1, 0):
        problem("UNKNOWN_LINK_VERSION", f'"{text}" is not a known version of the link specification (v1.0)', node)
        return False
    return True


def _read_imports(value: ConstValueNode | None, node: ConstDirectiveNode, problem: LinkProblem) -> dict[str, str]:
    imports: dict[str, str] = {}
    if value is None or isinstance(value, NullValueNode):
        return imports
    for item in value.values or () if isinstance(value, ListValueNode) else (value,):
        match item:
            case StringValueNode():
                imports[item.value] = item.value
            case ObjectValueNode():
                entry = _read_renaming(item, node, problem)
                if entry is not None:
                    imports[entry[0]] = entry[1]
            case _:
                message = f"{print_ast(item)} cannot be imported: write a name or {{name: …, as: …}}"
                problem("INVALID_LINK_DIRECTIVE_USAGE", message, node)
    return imports


def _read_renaming(item: ObjectValueNode, node: ConstDirectiveNode, problem: LinkProblem) -> tuple[str, str] | None:
    def wrong(message: str) -> None:
        problem("INVALID_LINK_DIRECTIVE_USAGE", f"{print_ast(item)} cannot be imported: {message}", node)

    entries = {field.name.value: field.value for field in item.fields or ()}
    for key, value in entries.items():
        if key not in ("name", "as"):
            wrong(f'it has the unknown entry "{key}"')
            return None
        if not isinstance(value, StringValueNode) or not _NAME.fullmatch(value.value):
            wrong(f'"{key}" is not a GraphQL name')
            return None
    name, alias = entries.get("name"), entries.get("as")
    if not isinstance(name, StringValueNode):
        wrong('it has no "name"')
        return None
    local = alias.value if isinstance(alias, StringValueNode) else name.value
    if name.value.startswith("@") != local.startswith("@"):
        wrong("both names or neither must begin with @")
    return name.value, local


def _check_imported_names(link: Link, problem: LinkProblem) -> None:
    known: set[str] | None = None
    if link.identity == FEDERATION_IDENTITY:
        known = {f"@{directive.name}" for directive in federation_directives(link.version)} | _FEDERATION_TYPES
    elif link.identity == LINK_IDENTITY:
        known = _LINK_ELEMENTS
    elif link.identity in SPECIFICATIONS:
        known = {f"@{directive.name}" for directive in SPECIFICATIONS[link.identity]} | _FEDERATION_TYPES
    for name in link.imports:
        if known is not None and name not in known:
            hint = f' (did you mean "@{name}"?)' if f"@{name}" in known else ""
            message = f'"{name}" cannot be imported: {link.url} has no such element{hint}'
            problem("INVALID_LINK_DIRECTIVE_USAGE", message, link.node)
        elif known is None and not _NAME.fullmatch(name):
            problem("INVALID_LINK_DIRECTIVE_USAGE", f'"{name}" cannot be imported: it is not a GraphQL name', link.node)


def _check_conflicts(links: list[Link], problem: LinkProblem) -> None:
    seen_identities: dict[str, Link] = {}
    seen_namespaces: dict[str, Link] = {}
    for link in links:
        if link.identity in seen_identities:
            message = f'"{link.identity}" is linked twice: {seen_identities[link.identity].url} and {link.url}'
            problem("INVALID_LINK_DIRECTIVE_USAGE", message, link.node)
        elif link.namespace in seen_namespaces:
            message = f'{seen_namespaces[link.namespace].url} and {link.url} both go by "{link.namespace}"; add as:'
            problem("INVALID_LINK_DIRECTIVE_USAGE", message, link.node)
        seen_identities.setdefault(link.identity, link)
        seen_namespaces.setdefault(link.namespace, link)
