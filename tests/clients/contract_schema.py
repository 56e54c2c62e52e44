"""The schema that clients see, as it is committed."""

from functools import lru_cache
from pathlib import Path

from graphql import GraphQLSchema, build_schema

API_SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "api.graphql"


@lru_cache(maxsize=1)
def read_contract_schema() -> GraphQLSchema:
    """Built once for all tests; nobody changes it but to say how an abstract type is told, always in the same way."""
    return build_schema(API_SCHEMA.read_text())
