"""The federation specification as data: which directives each version brings, how they look, how they compose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

__all__ = [
    "APOLLO",
    "FEDERATION_IDENTITY",
    "LINK_IDENTITY",
    "NEWEST_FEDERATION",
    "SPECIFICATIONS",
    "UPGRADED_TO",
    "DirectiveSpecification",
    "Merging",
    "federation_directives",
    "specification_directives",
]

APOLLO = "https://specs.apollo.dev"
"""Where the specifications of the federation family live."""
FEDERATION_IDENTITY = f"{APOLLO}/federation"
LINK_IDENTITY = f"{APOLLO}/link"
NEWEST_FEDERATION = (2, 15)
UPGRADED_TO = (2, 4)
"""The version whose directives Federation 1 documents may use; keys on interfaces are removed from these."""


class Merging(Enum):
    """How applications of one directive in several subgraphs become those of the supergraph."""

    NONE = "not part of the supergraph as a directive"
    ALL = "every distinct application"
    FIRST = "one application without arguments"
    MAXIMUM = "one application with the greatest argument"
    LIST_SIZE = "one application with each argument merged on its own"
    ALL_OF = "one application that demands what all of them demand"
    JOIN = "as join__directive, with the subgraphs that said it"


@dataclass(frozen=True, slots=True)
class DirectiveSpecification:
    """One directive of a specification.

    `arguments`: (name, type, default); a type in angle brackets is the specification's own and may have another name
    in a document. `specification` is the one under which the supergraph links it (name and version).
    """

    name: str
    arguments: tuple[tuple[str, str, str | None], ...]
    locations: tuple[str, ...]
    since: tuple[int, int] = (2, 0)
    is_repeatable: bool = False
    merging: Merging = Merging.NONE
    specification: tuple[str, str] | None = None
    purpose: str | None = None


_EVERYWHERE = (
    *("FIELD_DEFINITION", "OBJECT", "INTERFACE", "UNION", "ARGUMENT_DEFINITION", "SCALAR", "ENUM", "ENUM_VALUE"),
    *("INPUT_OBJECT", "INPUT_FIELD_DEFINITION"),
)
_PROTECTED = ("FIELD_DEFINITION", "OBJECT", "INTERFACE", "SCALAR", "ENUM")
_FIELDS = ("fields", "<FieldSet>!", None)

_KEY = DirectiveSpecification(
    "key", (_FIELDS, ("resolvable", "Boolean", "true")), ("OBJECT", "INTERFACE"), is_repeatable=True
)
_REQUIRES = DirectiveSpecification("requires", (_FIELDS,), ("FIELD_DEFINITION",))
_PROVIDES = DirectiveSpecification("provides", (_FIELDS,), ("FIELD_DEFINITION",))
_EXTERNAL = DirectiveSpecification("external", (("reason", "String", None),), ("OBJECT", "FIELD_DEFINITION"))
_EXTENDS = DirectiveSpecification("extends", (), ("OBJECT", "INTERFACE"))
_SHAREABLE = DirectiveSpecification("shareable", (), ("OBJECT", "FIELD_DEFINITION"))
_OVERRIDE = DirectiveSpecification("override", (("from", "String!", None),), ("FIELD_DEFINITION",))
_COMPOSE = DirectiveSpecification(
    "composeDirective", (("name", "String", None),), ("SCHEMA",), since=(2, 1), is_repeatable=True
)
_INTERFACE_OBJECT = DirectiveSpecification("interfaceObject", (), ("OBJECT",), since=(2, 3))
_TAG = DirectiveSpecification(
    "tag",
    (("name", "String!", None),),
    _EVERYWHERE,
    is_repeatable=True,
    merging=Merging.ALL,
    specification=("tag", "v0.3"),
)
_INACCESSIBLE = DirectiveSpecification(
    "inaccessible",
    (),
    _EVERYWHERE,
    merging=Merging.FIRST,
    specification=("inaccessible", "v0.2"),
    purpose="SECURITY",
)
_AUTHENTICATED = DirectiveSpecification(
    "authenticated",
    (),
    _PROTECTED,
    since=(2, 5),
    merging=Merging.FIRST,
    specification=("authenticated", "v0.1"),
    purpose="SECURITY",
)
_REQUIRES_SCOPES = DirectiveSpecification(
    "requiresScopes",
    (("scopes", "[[<Scope>!]!]!", None),),
    _PROTECTED,
    since=(2, 5),
    merging=Merging.ALL_OF,
    specification=("requiresScopes", "v0.1"),
    purpose="SECURITY",
)
_POLICY = DirectiveSpecification(
    "policy",
    (("policies", "[[<Policy>!]!]!", None),),
    _PROTECTED,
    since=(2, 6),
    merging=Merging.ALL_OF,
    specification=("policy", "v0.1"),
    purpose="SECURITY",
)
_CONTEXT = DirectiveSpecification(
    "context",
    (("name", "String!", None),),
    ("INTERFACE", "OBJECT", "UNION"),
    since=(2, 8),
    is_repeatable=True,
    merging=Merging.ALL,
    specification=("context", "v0.1"),
    purpose="SECURITY",
)
_FROM_CONTEXT = DirectiveSpecification(
    "fromContext",
    (("field", "<ContextFieldValue>", None),),
    ("ARGUMENT_DEFINITION",),
    since=(2, 8),
    specification=("context", "v0.1"),
)
_COST = DirectiveSpecification(
    "cost",
    (("weight", "Int!", None),),
    ("ARGUMENT_DEFINITION", "ENUM", "FIELD_DEFINITION", "INPUT_FIELD_DEFINITION", "OBJECT", "SCALAR"),
    since=(2, 9),
    merging=Merging.MAXIMUM,
    specification=("cost", "v0.1"),
)
_LIST_SIZE = DirectiveSpecification(
    "listSize",
    (
        ("assumedSize", "Int", None),
        ("slicingArguments", "[String!]", None),
        ("sizedFields", "[String!]", None),
        ("requireOneSlicingArgument", "Boolean", "true"),
    ),
    ("FIELD_DEFINITION",),
    since=(2, 9),
    merging=Merging.LIST_SIZE,
    specification=("cost", "v0.1"),
)
_CACHE_TAG = DirectiveSpecification(
    "cacheTag",
    (("format", "String!", None),),
    ("OBJECT", "FIELD_DEFINITION"),
    since=(2, 12),
    is_repeatable=True,
    merging=Merging.JOIN,
)

_FEDERATION_1 = (_KEY, _REQUIRES, _PROVIDES, _EXTERNAL, _TAG, _EXTENDS)
_FEDERATION_2 = (
    *_FEDERATION_1,
    *(_SHAREABLE, _INACCESSIBLE, _OVERRIDE, _COMPOSE, _INTERFACE_OBJECT, _AUTHENTICATED, _REQUIRES_SCOPES, _POLICY),
    *(_CONTEXT, _FROM_CONTEXT, _COST, _LIST_SIZE, _CACHE_TAG),
)

SPECIFICATIONS: dict[str, tuple[DirectiveSpecification, ...]] = {
    f"{APOLLO}/tag": (_TAG,),
    f"{APOLLO}/inaccessible": (_INACCESSIBLE,),
    f"{APOLLO}/authenticated": (_AUTHENTICATED,),
    f"{APOLLO}/requiresScopes": (_REQUIRES_SCOPES,),
    f"{APOLLO}/policy": (_POLICY,),
    f"{APOLLO}/context": (_CONTEXT, _FROM_CONTEXT),
    f"{APOLLO}/cost": (_COST, _LIST_SIZE),
}
"""Specifications that a subgraph may link beside federation, by identity."""


def federation_directives(version: tuple[int, int] | None) -> tuple[DirectiveSpecification, ...]:
    """The directives of one federation version, as that version defines them; None: Federation 1."""
    if version is None:
        return _FEDERATION_1
    found = [directive for directive in _FEDERATION_2 if directive.since <= version]
    return tuple(_as_of(directive, version) for directive in found)


def specification_directives(identity: str, version: tuple[int, int]) -> tuple[DirectiveSpecification, ...]:
    """The directives of a separately linked specification; empty where it is not known."""
    directives = SPECIFICATIONS.get(identity, ())
    if identity.endswith("/tag") and version >= (0, 3):
        return (replace(_TAG, locations=(*_EVERYWHERE, "SCHEMA")),)
    return directives


def _as_of(directive: DirectiveSpecification, version: tuple[int, int]) -> DirectiveSpecification:
    match directive.name:
        case "shareable":
            return replace(directive, is_repeatable=version >= (2, 2))
        case "override" if version >= (2, 7):
            return replace(directive, arguments=(*directive.arguments, ("label", "String", None)))
        case "tag" if version >= (2, 3):
            return replace(directive, locations=(*_EVERYWHERE, "SCHEMA"))
        case _:
            return directive
