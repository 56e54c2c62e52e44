"""`@link` (and its elder, `@core`) on a schema: which specifications are linked and under which names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from graphql import ConstDirectiveNode, ListValueNode, ObjectValueNode, StringValueNode, ValueNode

from gateway.supergraph.model import LinkedSpecification

__all__ = [
    "LinkInvalid",
    "SpecificationUrl",
    "link_prefix",
    "link_specification",
    "linked_directive",
    "read_link_url",
    "read_links",
]

_VERSION = re.compile(r"v(\d+)\.(\d+)")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class LinkInvalid(ValueError):
    """A header that cannot be understood; the message says which and why."""


@dataclass(frozen=True, slots=True)
class SpecificationUrl:
    """`https://specs.apollo.dev/join/v0.3` taken apart; name and version are None where the URL has none."""

    identity: str
    name: str | None
    version: tuple[int, int] | None


def read_link_url(url: str) -> SpecificationUrl:
    """Identity, name and version of a specification's URL. Never raises: what is missing is None."""
    body = url.split("#", 1)[0].split("?", 1)[0].rstrip("/")
    parts = body.split("/")
    version = _VERSION.fullmatch(parts[-1])
    if version is not None:
        parts.pop()
    last = parts[-1] if len(parts) > 3 else None  # "https:", "", host: no path, no name
    name = last if last is not None and _NAME.fullmatch(last) else None
    return SpecificationUrl("/".join(parts), name, (int(version[1]), int(version[2])) if version else None)


def link_specification(link: LinkedSpecification) -> str | None:
    """The name of the specification itself ("join"), whatever it is called in this document."""
    return read_link_url(link.url).name


def link_prefix(link: LinkedSpecification) -> str | None:
    """The name before `__` for everything that is not imported."""
    return link.prefix or link_specification(link)


def linked_directive(links: Iterable[LinkedSpecification], name: str) -> str:
    """What the directive that a specification is named after ("tag") is called in a document with these headers."""
    for link in links:
        if link_specification(link) == name:
            imported = link.imports.get(f"@{name}")
            return imported.removeprefix("@") if imported else (link.prefix or name)
    return name


def read_links(directives: Iterable[ConstDirectiveNode]) -> tuple[LinkedSpecification, ...]:
    """All headers among a schema's directives, in order; @core's `feature` is read as the URL.

    The directive itself may have been renamed by its own header; it is recognised by its arguments.
    """
    links = []
    for directive in directives:
        arguments = {argument.name.value: argument.value for argument in directive.arguments or ()}
        url = arguments.get("url", arguments.get("feature"))
        if not isinstance(url, StringValueNode) or not set(arguments) <= {"url", "feature", "as", "for", "import"}:
            continue
        links.append(
            LinkedSpecification(
                url=url.value,
                purpose=_purpose(arguments.get("for")),
                prefix=_text(arguments.get("as"), "as"),
                imports=_imports(arguments.get("import")),
            )
        )
    return tuple(links)


def _purpose(value: ValueNode | None) -> str | None:
    found = getattr(value, "value", None)
    return found if isinstance(found, str) else None


def _text(value: ValueNode | None, argument: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, StringValueNode):
        raise LinkInvalid(f'the argument "{argument}" of a link is not a string')
    return value.value


def _imports(value: ValueNode | None) -> dict[str, str]:
    """Imported name → name in this document, both with their "@" for directives."""
    imports: dict[str, str] = {}
    if value is None:
        return imports
    for item in value.values or () if isinstance(value, ListValueNode) else (value,):
        if isinstance(item, StringValueNode):
            imports[item.value] = item.value
        elif isinstance(item, ObjectValueNode):
            entries = {field.name.value: field.value for field in item.fields or ()}
            name = _text(entries.get("name"), "import")
            if name is None:
                raise LinkInvalid('an entry of the argument "import" of a link has no name')
            imports[name] = _text(entries.get("as"), "import") or name
        else:
            raise LinkInvalid('an entry of the argument "import" of a link is neither a string nor {name, as}')
    return imports
