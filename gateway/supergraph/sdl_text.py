"""Pieces of SDL text that both printers need: descriptions, arguments, applied directives, bodies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphql.language.block_string import is_printable_as_block_string, print_block_string
from graphql.language.print_string import print_string

from gateway.graphql_kit.type_refs import write_type_ref
from gateway.supergraph.model import Argument, DirectiveApplication, DirectiveDefinition

__all__ = ["body", "described", "directive_definition_text", "directives_text", "parameters_text", "quoted"]


def quoted(text: str) -> str:
    """A string in GraphQL notation."""
    return print_string(text)


def described(description: str | None, text: str, indent: str = "") -> str:
    """Lines of an element with its description above; `text` is one element without indentation of its first line."""
    if description is None:
        return f"{indent}{text}"
    # A block string trims margins and blank edges; what would not survive that is quoted instead.
    is_long = "\n" in description or len(description) > 70
    is_block = is_long and is_printable_as_block_string(description)
    note = print_block_string(description) if is_block else quoted(description)
    lines = [f"{indent}{line}" if line else "" for line in note.split("\n")]
    return "\n".join([*lines, f"{indent}{text}"])


def directives_text(directives: Iterable[DirectiveApplication]) -> str:
    """Applied directives, each with a space before it."""
    texts = []
    for directive in directives:
        arguments = ", ".join(f"{name}: {value}" for name, value in directive.arguments.items())
        texts.append(f" @{directive.name}({arguments})" if arguments else f" @{directive.name}")
    return "".join(texts)


def parameters_text(arguments: Sequence[Argument], indent: str = "") -> str:
    """`(a: Int = 1, b: String)`; one argument per line where one has a description."""
    if not arguments:
        return ""
    texts = [
        f"{argument.name}: {write_type_ref(argument.type)}"
        + (f" = {argument.default}" if argument.default is not None else "")
        + directives_text(argument.directives)
        for argument in arguments
    ]
    if all(argument.description is None for argument in arguments):
        return f"({', '.join(texts)})"
    lines = [
        described(argument.description, text, f"{indent}  ") for argument, text in zip(arguments, texts, strict=True)
    ]
    return "(\n" + "\n".join(lines) + f"\n{indent})"


def body(lines: Sequence[str], opening: str = " {") -> str:
    """A block in braces; nothing when there are no lines."""
    return f"{opening}\n" + "\n".join(lines) + "\n}" if lines else ""


def directive_definition_text(definition: DirectiveDefinition, locations: Sequence[str] | None = None) -> str:
    """A directive's definition with its description."""
    parameters = parameters_text(tuple(definition.arguments.values()))
    repeatable = " repeatable" if definition.repeatable else ""
    where = " | ".join(definition.locations if locations is None else locations)
    return described(definition.description, f"directive @{definition.name}{parameters}{repeatable} on {where}")
