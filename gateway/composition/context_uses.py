"""@fromContext in one subgraph: which context each argument names, what it selects, and which types set the context."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.composition.subgraph_schema import (
    DirectiveUse,
    SubgraphArgument,
    SubgraphField,
    SubgraphSchema,
    SubgraphType,
)
from gateway.graphql_kit.field_set_text import FieldSetInvalid, canonical_field_set

__all__ = ["ContextUse", "context_setters", "context_uses", "uses_on"]

_REFERENCE = re.compile(r"\s*\$\s*([_A-Za-z][_0-9A-Za-z]*)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ContextUse:
    """One argument that is filled from a context; `context` is None where the text names none."""

    parent: SubgraphType
    field: SubgraphField
    argument: SubgraphArgument
    use: DirectiveUse
    context: str | None
    selection: str

    @property
    def coordinate(self) -> str:
        """`Type.field(argument:)`."""
        return f"{self.field.coordinate}({self.argument.name}:)"

    @property
    def merged_selection(self) -> str:
        """The selection as supergraphs write it, with its braces."""
        try:
            return f" {{ {canonical_field_set(self.selection)} }}"
        except FieldSetInvalid:  # reported by the rules
            return self.selection


def context_uses(schema: SubgraphSchema) -> Iterator[ContextUse]:
    """Every @fromContext on an argument of a field, whether it is valid or not."""
    for parent, field in schema.fields():
        yield from uses_on(parent, field)


def uses_on(parent: SubgraphType, field: SubgraphField) -> Iterator[ContextUse]:
    """The same for one field."""
    for argument in field.arguments.values():
        for use in argument.using("fromContext"):
            found = _REFERENCE.fullmatch(use.text("field") or "")
            context, selection = (found[1], found[2].strip()) if found else (None, "")
            yield ContextUse(parent, field, argument, use, context, selection)


def context_setters(schema: SubgraphSchema, context: str) -> list[SubgraphType]:
    """The types that set a context here."""
    return [
        definition
        for definition in schema.types.values()
        if any(use.text("name") == context for use in definition.using("context"))
    ]
