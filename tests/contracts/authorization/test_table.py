"""The authorization table names every field and every entity door of the schema, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema

from stack.authorization_table import (
    DOCUMENT,
    Cell,
    Outcome,
    TableInvalid,
    ViewerKind,
    entity_doors,
    expand,
    read_repository,
    write_document,
)

SCHEMA = build_schema("interface Named { name: String } type Query implements Named { name: String secret: String }")
ALLOW: dict[str, str] = {"means": "x", **{kind.value: "allow" for kind in ViewerKind}}
HIDDEN: dict[str, str] = {**ALLOW, "anonymous": "deny null"}


def reviewed(**changes: Any) -> dict[str, Any]:
    usual = {
        "rules": {"open": ALLOW, "hidden": HIDDEN},
        "types": {"Named": "open", "Query": {"rule": "open", "fields": {"secret": "hidden"}}},
        "entities": {"one": {"Thing": "open"}},
    }
    return {**usual, **changes}


def problems_of(written: dict[str, Any]) -> str:
    with pytest.raises(TableInvalid) as raised:
        expand(written, SCHEMA, ["one: Thing"])
    return str(raised.value)


def test_every_field_of_the_schema_has_a_rule() -> None:
    """The committed table fits the committed schema, and the document says what the table says."""
    table = read_repository()

    assert table.cell_count == len(ViewerKind) * (len(table.fields) + len(table.entities))
    assert DOCUMENT.read_text(encoding="utf-8") == write_document(table)


def test_expands_rules_over_types_and_exceptions() -> None:
    """A type's rule is its fields' rule but for the exceptions."""
    table = expand(reviewed(), SCHEMA, ["one: Thing"])

    assert {name: row.rule for name, row in table.fields.items()} == {
        "Named.name": "open",
        "Query.name": "open",
        "Query.secret": "hidden",
    }
    assert table.fields["Query.secret"].cells[ViewerKind.ANONYMOUS] == Cell(Outcome.DENY, "null")
    assert table.entities["one: Thing"].cells[ViewerKind.OWNER] == Cell(Outcome.ALLOW)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"types": {"Query": "open"}}, "Named has no rule"),
        ({"types": {"Named": "open", "Query": {"fields": {"name": "open"}}}}, "Query.secret has no rule"),
        ({"types": {"Named": "open", "Query": "open", "Gone": "open"}}, "Gone has a rule and is no type"),
        (
            {"types": {"Named": "open", "Query": {"rule": "open", "fields": {"gone": "open"}}}},
            "Query.gone has a rule and is no field",
        ),
        ({"types": {"Named": "open", "Query": "opne"}}, "has rule 'opne'"),
        ({"entities": {}}, "entity one: Thing has no rule"),
        ({"entities": {"one": {"Thing": "open", "Gone": "open"}}}, "one: Gone has a rule and no subgraph"),
        ({"rules": {"open": ALLOW, "hidden": {**HIDDEN, "kids": "perhaps"}}}, "says 'perhaps' for kids"),
        ({"rules": {"open": ALLOW, "hidden": {**HIDDEN, "kids": "deny"}}}, "says 'deny' for kids"),
        ({"rules": {"open": ALLOW, "hidden": {**HIDDEN, "kid": "allow"}}}, "names 'kid'"),
    ],
)
def test_refuses_what_does_not_fit(change: dict[str, Any], problem: str) -> None:
    """Each gap and each leftover is named."""
    assert problem in problems_of(reviewed(**change))


def test_finds_the_entities_that_are_resolved() -> None:
    """By @key, unless it says that it is not resolvable."""
    sdl = (
        'type A @key(fields: "id") { id: ID } type B @key(fields: "id", resolvable: false) { id: ID } type C { id: ID }'
    )
    assert entity_doors({"one": sdl}) == ["one: A"]
