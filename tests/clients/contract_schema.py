"""The schema that clients see, as it is committed."""

from functools import lru_cache
from pathlib import Path

from graphql import DocumentNode, GraphQLSchema, build_schema, parse, validate

API_SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "api.graphql"


@lru_cache(maxsize=1)
def read_contract_schema() -> GraphQLSchema:
    """Built once for all tests; nobody changes it but to say how an abstract type is told, always in the same way."""
    return build_schema(API_SCHEMA.read_text())


@lru_cache(maxsize=100)
def read_operation(text: str) -> DocumentNode:
    """Checked once against the contract, as a gateway does with a text that it knows."""
    document = parse(text)
    problems = validate(read_contract_schema(), document)
    assert problems == [], problems
    return document
