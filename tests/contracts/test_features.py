"""docs/features.md against the schema and the tests: every field and every test that it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
SCHEMA = build_schema((ROOT / "schema" / "api.graphql").read_text(encoding="utf-8"), assume_valid=True)
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| What ")
]


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_feature_has_its_fields_and_its_tests(row: list[str]) -> None:
    _, fields, tests = row

    for type_name, field in re.findall(r"`(\w+)\.(\w+)`", fields):
        parent = SCHEMA.type_map.get(type_name)
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType), f"there is no type {type_name}"
        assert field in parent.fields, f"{type_name} has no field {field}"
    named = re.findall(r"`(tests/[\w/.]+)::(\w+)`", tests)
    assert named, "no test holds it"
    for path, name in named:
        assert name in names_in(path), f"{path} has no {name}"
