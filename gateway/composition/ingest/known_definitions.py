"""What linked specifications define in a document: added where it is missing, compared where the document says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from graphql import DefinitionNode, Node, parse, parse_const_value, print_ast

from gateway.composition.federation_spec import (
    FEDERATION_IDENTITY,
    LINK_IDENTITY,
    UPGRADED_TO,
    DirectiveSpecification,
    federation_directives,
    specification_directives,
)
from gateway.composition.ingest.links import Links
from gateway.composition.subgraph_schema import Link, SubgraphArgument, SubgraphDirective, SubgraphType, TypeKind
from gateway.graphql_kit.type_refs import (
    ListRef,
    NamedRef,
    NonNullRef,
    TypeRef,
    named_type,
    read_type_ref,
    write_type_ref,
)

__all__ = [
    "KnownDirective",
    "check_argument_types_exist",
    "check_redefinitions",
    "known_directives",
    "missing_definitions",
]

_BUILT_IN_SCALARS = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_FEDERATION_1_FIELD_SET = ("_FieldSet", "FieldSet", "String")


@dataclass(frozen=True, slots=True)
class KnownDirective:
    """A specification's directive under its name in the document, its argument types in the document's terms too."""

    name: str
    specification: DirectiveSpecification
    arguments: tuple[tuple[str, str, str | None], ...]

    @property
    def sdl(self) -> str:
        """The definition as SDL."""
        parameters = ", ".join(f"{n}: {t}" + (f" = {d}" if d is not None else "") for n, t, d in self.arguments)
        head = f"directive @{self.name}" + (f"({parameters})" if parameters else "")
        repeatable = " repeatable" if self.specification.is_repeatable else ""
        return f"{head}{repeatable} on {' | '.join(self.specification.locations)}"


_LINK = DirectiveSpecification(
    "link",
    (
        ("url", "String", None),
        ("as", "String", None),
        ("for", "<Purpose>", None),
        ("import", "[<Import>]", None),
    ),
    ("SCHEMA",),
    is_repeatable=True,
)


def known_directives(links: Links, defined: Iterable[str]) -> tuple[list[KnownDirective], list[str]]:
    """The directives that the linked specifications define in this document, and the scalar types they need.

    `defined`: the directives that the document defines itself; in Federation 1 they may be Federation 2's.
    """
    directives: dict[str, KnownDirective] = {}
    scalars: dict[str, None] = {}

    def add(specification: DirectiveSpecification, name: str, type_name: Callable[[str], str]) -> None:
        arguments = []
        for argument, template, default in specification.arguments:
            text = template
            if "<" in text:
                own = text[text.index("<") + 1 : text.index(">")]
                local = type_name(own)
                if own != "Purpose":
                    scalars[local] = None
                text = text.replace(f"<{own}>", local)
            arguments.append((argument, text, default))
        directives.setdefault(name, KnownDirective(name, specification, tuple(arguments)))

    federation = links.by_identity(FEDERATION_IDENTITY)
    for link in links.all:
        for specification in _directives_of(link):
            add(specification, link.directive_name(specification.name), link.type_name)
    if links.link_directive is not None:
        own_link = links.by_identity(LINK_IDENTITY)
        add(_LINK, links.link_directive, own_link.type_name if own_link else lambda own: f"link__{own}")
    if federation is None:
        own_definitions = set(defined)
        old = {specification.name for specification in federation_directives(None)}
        for specification in federation_directives(UPGRADED_TO):
            if specification.name in old or specification.name in own_definitions:
                add(specification, specification.name, lambda own: f"_{own}")
    return list(directives.values()), list(scalars)


def _directives_of(link: Link) -> tuple[DirectiveSpecification, ...]:
    if link.identity == FEDERATION_IDENTITY:
        return federation_directives(link.version)
    return specification_directives(link.identity, link.version)


def missing_definitions(
    known: Iterable[KnownDirective], scalars: Iterable[str], defined: set[str], links: Links
) -> tuple[DefinitionNode, ...]:
    """AST of everything known that the document does not define itself; `defined` holds type names and "@names"."""
    texts = [directive.sdl for directive in known if f"@{directive.name}" not in defined]
    texts += [f"scalar {name}" for name in scalars if name not in defined and name not in _BUILT_IN_SCALARS]
    link = links.by_identity(LINK_IDENTITY)
    purpose = link.type_name("Purpose") if link else "link__Purpose"
    if links.link_directive is not None and purpose not in defined:
        texts.append(f"enum {purpose} {{ EXECUTION SECURITY }}")
    return _parsed("\n".join(texts))


@lru_cache(maxsize=256)
def _parsed(text: str) -> tuple[DefinitionNode, ...]:
    return tuple(parse(text, no_location=True).definitions) if text else ()


def check_argument_types_exist(
    directives: Mapping[str, SubgraphDirective],
    types: Mapping[str, SubgraphType],
    problem: Callable[[str, str, Node | None], None],
) -> None:
    """Who defines a specification's directive must define its types too: only whole definitions are left out."""
    known = {*types, *_BUILT_IN_SCALARS}
    for directive in directives.values():
        for argument in directive.arguments.values():
            name = named_type(argument.type)
            if name not in known:
                message = f'the argument "{argument.name}" of "@{directive.name}" has the unknown type "{name}"'
                problem("INVALID_GRAPHQL", message, argument.node)


def check_redefinitions(
    known: Iterable[KnownDirective],
    scalars: Iterable[str],
    directives: Mapping[str, SubgraphDirective],
    types: Mapping[str, SubgraphType],
    problem: Callable[[str, str, Node | None], None],
) -> None:
    """A document may define what specifications define, but only in a compatible way."""
    for name in scalars:
        definition = types.get(name)
        if definition is not None and definition.kind is not TypeKind.SCALAR:
            message = f'"{name}" is a scalar of a linked specification but is defined as {definition.kind.value}'
            problem("TYPE_DEFINITION_INVALID", message, definition.node)
    for directive in known:
        actual = directives.get(directive.name)
        if actual is not None:
            for message in _differences(directive, actual, types):
                text = f'the definition of "@{directive.name}" is not compatible: {message} (expected: {directive.sdl})'
                problem("DIRECTIVE_DEFINITION_INVALID", text, actual.node)


def is_lenient_federation_1_definition(directive: SubgraphDirective) -> bool:
    """Old libraries defined @key, @requires and @provides loosely; such definitions are replaced by the right ones."""
    if directive.name not in ("key", "requires", "provides"):
        return False
    if not directive.arguments:
        return True
    fields = directive.arguments.get("fields")
    return (
        len(directive.arguments) == 1 and fields is not None and write_type_ref(fields.type) in _FEDERATION_1_FIELD_SET
    )


def _differences(
    expected: KnownDirective, actual: SubgraphDirective, types: Mapping[str, SubgraphType]
) -> Iterable[str]:
    if actual.is_repeatable and not expected.specification.is_repeatable:
        yield "it must not be repeatable"
    if not set(actual.locations) <= set(expected.specification.locations):
        wrong = sorted(set(actual.locations) - set(expected.specification.locations))
        yield f"it cannot stand on {', '.join(wrong)}"
    for name, text, default in expected.arguments:
        wanted = read_type_ref(text)
        argument = actual.arguments.get(name)
        if argument is None:
            if isinstance(wanted, NonNullRef) and default is None:
                yield f'its argument "{name}" is missing'
            continue
        yield from _argument_differences(wanted, default, argument, types)
    for name in actual.arguments.keys() - {name for name, _, _ in expected.arguments}:
        yield f'it has no argument "{name}"'


def _argument_differences(
    wanted: TypeRef, default: str | None, actual: SubgraphArgument, types: Mapping[str, SubgraphType]
) -> Iterable[str]:
    name = actual.name
    found: TypeRef = actual.type
    if isinstance(found, NonNullRef) and not isinstance(wanted, NonNullRef):
        found = found.of
    if found != wanted and not _is_allowed_instead(wanted, found, types):
        yield f'its argument "{name}" has the type {write_type_ref(actual.type)} instead of {write_type_ref(wanted)}'
    elif not isinstance(actual.type, NonNullRef):
        given = print_ast(actual.default) if actual.default is not None else None
        normal = print_ast(parse_const_value(default)) if default is not None else None
        if given != normal:
            yield f'its argument "{name}" has the default {given or "nothing"} instead of {normal or "nothing"}'


def _is_allowed_instead(wanted: TypeRef, found: TypeRef, types: Mapping[str, SubgraphType]) -> bool:
    """A specification's own scalar takes any value, so a document may narrow it to anything but another scalar."""
    match wanted, found:
        case (NonNullRef(), NonNullRef()):
            return _is_allowed_instead(wanted.of, found.of, types)
        case (ListRef(), ListRef()):
            return _is_allowed_instead(wanted.of, found.of, types)
        case (NamedRef(), NamedRef()):
            own = types.get(found.name)
            is_custom_scalar = own is not None and own.kind is TypeKind.SCALAR
            return wanted.name not in _BUILT_IN_SCALARS and not is_custom_scalar
        case (NamedRef(), ListRef()):
            return wanted.name not in _BUILT_IN_SCALARS
        case _:
            return False
