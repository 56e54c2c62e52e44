"""The subgraph's schema, built once."""

from subgraphs.kernel.entities import build_schema
from subgraphs.profiles.api.mutations import Mutation
from subgraphs.profiles.api.queries import Query

__all__ = ["schema"]

schema = build_schema(query=Query, mutation=Mutation)
