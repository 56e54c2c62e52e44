"""The operations that clients send fit the API schema that the subgraphs make together."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, parse, validate

from tests.clients.contract_schema import read_contract_schema

OPERATIONS = Path(__file__).resolve().parents[2] / "schema" / "operations"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return read_contract_schema()


@pytest.mark.parametrize(
    "file_path", sorted(OPERATIONS.rglob("*.graphql")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_an_operation_fits_the_contract(schema: GraphQLSchema, file_path: Path) -> None:
    """Every operation that a page loads is valid against the API schema."""
    problems = validate(schema, parse(file_path.read_text()))
    assert [problem.message for problem in problems] == []


def test_pages_ask_only_for_operations_that_exist() -> None:
    """Each name that a page hands to call() has its text in schema/operations."""
    import re

    clients = Path(__file__).resolve().parents[2] / "clients"
    sources = [path for folder in ("shared", "tv", "phone") for path in (clients / folder).rglob("*.js")]
    names = {name for path in sources for name in re.findall(r"\"((?:tv|phone|shared)/[a-z_]+)\"", path.read_text())}
    assert len(names) >= 15
    assert {name for name in names if not (OPERATIONS / f"{name}.graphql").exists()} == set()
