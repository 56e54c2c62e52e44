"""Who may see what: expands schema/authorization.yaml over the composed schema, and writes docs/authorization.md.

The reviewed file gives a rule to every type of the API schema, with exceptions by field, and to every entity that a
subgraph resolves; a rule says what each kind of viewer gets. Expanded, that is one cell for each field and viewer. A
field without a rule, and a rule without a field, are problems: the schema can't grow a door that nobody thought about.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, build_schema, parse
from graphql.language import InterfaceTypeDefinitionNode, ObjectTypeDefinitionNode

from stack import REPOSITORY

__all__ = [
    "AuthorizationTable",
    "Cell",
    "Outcome",
    "Row",
    "TableInvalid",
    "ViewerKind",
    "entity_doors",
    "expand",
    "load_table",
    "main",
]

TABLE = REPOSITORY / "schema" / "authorization.yaml"
DOCUMENT = REPOSITORY / "docs" / "authorization.md"


class ViewerKind(StrEnum):
    """The columns. All but `owner` ask for what belongs to the owner, or to everybody."""

    ANONYMOUS = "anonymous"
    OWNER = "owner"
    OTHER_ACCOUNT = "other_account"
    OTHER_PROFILE = "other_profile"
    KIDS = "kids"
    STUDIO = "studio"
    EXPIRED = "expired"


class Outcome(StrEnum):
    """What a cell says."""

    ALLOW = "allow"
    FILTER = "filter"
    OWN = "own"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Cell:
    """`look` is how a denial looks to the viewer; empty otherwise."""

    outcome: Outcome
    look: str = ""

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.outcome} {self.look}".rstrip()


@dataclass(frozen=True, slots=True)
class Row:
    """One field ("Type.field"), or one entity door ("subgraph: Type"), with a cell for each viewer."""

    name: str
    rule: str
    cells: Mapping[ViewerKind, Cell]


@dataclass(frozen=True, slots=True)
class AuthorizationTable:
    """All rows, in the order of their names. `rules` are texts by rule name."""

    fields: Mapping[str, Row]
    entities: Mapping[str, Row]
    rules: Mapping[str, str]

    @property
    def rows(self) -> list[Row]:
        """Fields first."""
        return [*self.fields.values(), *self.entities.values()]

    @property
    def cell_count(self) -> int:
        """Of the whole table."""
        return sum(len(row.cells) for row in self.rows)


class TableInvalid(Exception):
    """The reviewed file does not fit the schema; the message lists every problem."""


def load_table(path: Path = TABLE) -> Mapping[str, Any]:
    """The reviewed file; raises TableInvalid when it is no mapping."""
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(loaded, dict):
        raise TableInvalid(f"{path} holds no mapping")
    return loaded


def entity_doors(subgraph_sdl: Mapping[str, str]) -> list[str]:
    """Every entity that a subgraph resolves, as "subgraph: Type"."""
    return sorted(
        f"{subgraph_name}: {definition.name.value}"
        for subgraph_name, sdl in subgraph_sdl.items()
        for definition in parse(sdl).definitions
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode) and _is_resolvable(definition)
    )


def expand(reviewed: Mapping[str, Any], api: GraphQLSchema, doors: Sequence[str]) -> AuthorizationTable:
    """The whole table; raises TableInvalid listing every field without a rule and every rule without a field."""
    problems: list[str] = []
    rules = _read_rules(reviewed.get("rules") or {}, problems)
    rule_names = dict(_rule_by_field(reviewed.get("types") or {}, api, problems))
    rule_names_of_doors = _rule_by_door(reviewed.get("entities") or {}, doors, problems)
    for name, rule in {**rule_names, **rule_names_of_doors}.items():
        if rule not in rules:
            problems.append(f"{name} has rule {rule!r}, which is not among rules")
    if problems:
        raise TableInvalid("\n".join(problems))
    return AuthorizationTable(
        fields={name: Row(name, rule, rules[rule]) for name, rule in sorted(rule_names.items())},
        entities={name: Row(name, rule, rules[rule]) for name, rule in sorted(rule_names_of_doors.items())},
        rules={name: str(rule.get("means", "")) for name, rule in reviewed["rules"].items()},
    )


def read_repository() -> AuthorizationTable:
    """The table of the committed schema; raises TableInvalid."""
    schema_dir = REPOSITORY / "schema"
    api = build_schema((schema_dir / "api.graphql").read_text(encoding="utf-8"))
    sdl = {path.stem: path.read_text(encoding="utf-8") for path in sorted((schema_dir / "subgraphs").glob("*.graphql"))}
    return expand(load_table(), api, entity_doors(sdl))


def write_document(table: AuthorizationTable) -> str:
    """The table for people: rules first, then each type's fields, those of one rule in one row."""
    columns = list(ViewerKind)
    used = {row.rule: row for row in table.rows}
    lines = [
        _INTRODUCTION.format(fields=len(table.fields), doors=len(table.entities), cells=table.cell_count),
        "## Rules",
        "",
        "| rule | means | " + " | ".join(column.value for column in columns) + " |",
        "|---|---|" + "---|" * len(columns),
    ]
    for name, means in table.rules.items():
        cells = " | ".join(str(used[name].cells[column]) for column in columns)
        lines.append(f"| {name} | {means} | {cells} |")
    lines += ["", "## Fields", "", "| type | fields | rule |", "|---|---|---|"]
    for type_name, rows in groupby(table.fields.values(), key=lambda row: row.name.partition(".")[0]):
        by_rule: dict[str, list[str]] = {}
        for row in rows:
            by_rule.setdefault(row.rule, []).append(row.name.partition(".")[2])
        lines += [f"| {type_name} | {', '.join(names)} | {rule} |" for rule, names in by_rule.items()]
    lines += ["", "## Entities, asked of a subgraph directly", "", "| subgraph | entity | rule |", "|---|---|---|"]
    for row in table.entities.values():
        subgraph_name, _, type_name = row.name.partition(": ")
        lines.append(f"| {subgraph_name} | {type_name} | {row.rule} |")
    return "\n".join(lines) + "\n"


def write_cells(table: AuthorizationTable) -> Iterator[str]:
    """Every cell, one row of text for each field."""
    columns = list(ViewerKind)
    yield "\t".join(["field", "rule", *(column.value for column in columns)])
    for row in table.rows:
        yield "\t".join([row.name, row.rule, *(str(row.cells[column]) for column in columns)])


def main() -> int:
    """Command line: scripts/authorization."""
    parser = argparse.ArgumentParser(prog="scripts/authorization", description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="write nothing; fail where table, schema, document differ")
    choice.add_argument("--cells", action="store_true", help="print every cell, tab-separated")
    arguments = parser.parse_args()
    try:
        table = read_repository()
    except TableInvalid as error:
        print(f"{error}\nedit {TABLE.relative_to(REPOSITORY)}", file=sys.stderr)
        return 1
    if arguments.cells:
        print("\n".join(write_cells(table)))
        return 0
    text = write_document(table)
    is_current = DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == text
    if arguments.check:
        if not is_current:
            print(f"{DOCUMENT.name} is not what the table says; run scripts/authorization", file=sys.stderr)
        return int(not is_current)
    if not is_current:
        DOCUMENT.write_text(text, encoding="utf-8")
    print(f"{len(table.fields)} fields, {len(table.entities)} entity doors, {table.cell_count} cells")
    return 0


def _is_resolvable(definition: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode) -> bool:
    keys = [directive for directive in definition.directives or () if directive.name.value == "key"]
    return any(
        not any(
            argument.name.value == "resolvable" and getattr(argument.value, "value", True) is False
            for argument in key.arguments or ()
        )
        for key in keys
    )


def _read_rules(written: Mapping[str, Any], problems: list[str]) -> dict[str, dict[ViewerKind, Cell]]:
    rules: dict[str, dict[ViewerKind, Cell]] = {}
    for name, rule in written.items():
        cells: dict[ViewerKind, Cell] = {}
        for viewer in ViewerKind:
            text = str(rule.get(viewer.value, ""))
            outcome, _, look = text.partition(" ")
            if outcome not in list(Outcome) or bool(look) != (outcome == Outcome.DENY):
                problems.append(
                    f"rule {name} says {text!r} for {viewer.value}; write allow, filter, own, or deny with how it looks"
                )
                continue
            cells[viewer] = Cell(Outcome(outcome), look)
        unknown = set(rule) - {viewer.value for viewer in ViewerKind} - {"means"}
        problems += [f"rule {name} names {each!r}, which is no kind of viewer" for each in sorted(unknown)]
        rules[name] = cells
    return rules


def _rule_by_field(written: Mapping[str, Any], api: GraphQLSchema, problems: list[str]) -> Iterator[tuple[str, str]]:
    """Rules in full: a type's own, overruled by those of its fields; `like` takes another type's for common fields."""
    known = {
        name: definition
        for name, definition in api.type_map.items()
        if isinstance(definition, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__")
    }
    problems += [f"{name} has a rule and is no type of the schema" for name in sorted(set(written) - set(known))]
    for type_name, definition in sorted(known.items()):
        entry = written.get(type_name)
        if entry is None:
            problems.append(f"{type_name} has no rule; its fields are {', '.join(definition.fields)}")
            continue
        own_rule, by_field = _entry(entry)
        inherited = _entry(written.get(entry["like"], {}))[1] if isinstance(entry, dict) and "like" in entry else {}
        for field_name in sorted(set(by_field) - set(definition.fields)):
            problems.append(f"{type_name}.{field_name} has a rule and is no field of the schema")
        for field_name in definition.fields:
            rule = by_field.get(field_name) or inherited.get(field_name) or own_rule
            if rule is None:
                problems.append(f"{type_name}.{field_name} has no rule")
                continue
            yield f"{type_name}.{field_name}", rule


def _entry(entry: Any) -> tuple[str | None, Mapping[str, str]]:
    """A type's rule and its fields' exceptions; a plain text is a rule for all fields."""
    if isinstance(entry, str):
        return entry, {}
    return entry.get("rule"), entry.get("fields") or {}


def _rule_by_door(written: Mapping[str, Any], doors: Iterable[str], problems: list[str]) -> dict[str, str]:
    given = {f"{subgraph}: {name}": str(rule) for subgraph, types in written.items() for name, rule in types.items()}
    known = set(doors)
    problems += [f"entity {name} has no rule" for name in sorted(known - set(given))]
    problems += [f"entity {name} has a rule and no subgraph resolves it" for name in sorted(set(given) - known)]
    return {name: rule for name, rule in given.items() if name in known}


_INTRODUCTION = """# Who may see what

Written by `scripts/authorization` from `schema/authorization.yaml` and the composed schema; edit the former. Every
field of the API schema and every entity that a subgraph resolves has a rule: {fields} fields and {doors} entity doors,
{cells} cells. A field without a rule fails `scripts/check`.

Titles are decided by one function, `decide` in `subgraphs/kernel/policy.py`: withdrawal, blocked countries, windows,
kids, maturity, and for play also account, profile and subscription. What it hides looks like what does not exist.

The viewers:

- **anonymous** sends no token;
- **owner** has the account and the profile that a thing belongs to;
- **other_account** is signed in elsewhere;
- **other_profile** is a second profile of the owner's account;
- **kids** is a kids profile of the owner's account;
- **studio** is another account, with every scope that there is;
- **expired** sends the owner's token after its end: HTTP 401, as for every token that can't be verified.

What a cell says:

- **allow**: the value, the same as the owner sees it;
- **filter**: answered, with only what the policy lets this viewer see;
- **own**: answered about the asking viewer, never about the owner;
- **deny**, followed by how that looks: `null`, `absent` (nothing leads to it), `blank` (null, false, zero or an empty
  list), `error` (an error beside null), `401`, or the name of a typed result. A denied thing that exists and one that
  does not give the same answer.

Pictures are public by their address: an image is the same for everybody and carries no right to the film. Its address
holds the title's id, so nobody gets an address from the graph whose title they may not see.
"""


if __name__ == "__main__":
    sys.exit(main())
