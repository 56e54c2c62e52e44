"""What all rules about `fields:` arguments start from: every application, resolved where it can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import StringValueNode, print_ast

from gateway.composition.field_sets import FieldSetProblem, Selected, resolve_field_set
from gateway.composition.report import Place
from gateway.composition.subgraph_schema import DirectiveUse, SubgraphField, SubgraphSchema, SubgraphType
from gateway.graphql_kit.type_refs import named_type

__all__ = ["ROLES", "FieldSetUse", "field_set_uses", "selected_fields"]

ROLES = ("key", "requires", "provides")


@dataclass(frozen=True, slots=True)
class FieldSetUse:
    """One @key, @requires or @provides. `owner` holds it, `target` is the type that its fields are selected on."""

    role: str
    schema: SubgraphSchema
    owner: SubgraphType
    field: SubgraphField | None
    target: SubgraphType | None
    use: DirectiveUse

    @property
    def code_prefix(self) -> str:
        """What this directive's codes begin with."""
        return self.role.upper()

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.schema.name, self.use.node

    def __str__(self) -> str:
        written = print_ast(self.use.node) if self.use.node else f"@{self.role}"
        return f"{written} on {self.field.coordinate if self.field else self.owner.name}"

    def resolve(self) -> tuple[Selected, ...]:
        """The selections; empty where another rule says what is wrong with them."""
        value = self.use.arguments.get("fields")
        if self.target is None or not self.target.is_composite or not isinstance(value, StringValueNode):
            return ()
        try:
            return resolve_field_set(self.schema, self.target, value.value)
        except FieldSetProblem:
            return ()


def field_set_uses(schema: SubgraphSchema) -> Iterator[FieldSetUse]:
    """All applications in the subgraph, types first."""
    for definition in schema.types.values():
        for use in definition.using("key"):
            yield FieldSetUse("key", schema, definition, None, definition, use)
    for definition, field in schema.fields():
        for use in field.using("requires"):
            yield FieldSetUse("requires", schema, definition, field, definition, use)
        for use in field.using("provides"):
            yield FieldSetUse("provides", schema, definition, field, schema.types.get(named_type(field.type)), use)


def selected_fields(selections: tuple[Selected, ...]) -> Iterator[Selected]:
    """All selections at every depth."""
    for selection in selections:
        yield selection
        yield from selected_fields(selection.inner)
