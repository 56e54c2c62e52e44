"""The supergraph: the merged schema as an immutable model that records which subgraph provides what.

`read` makes the model from supergraph SDL of any composer, `write` prints it as join-spec SDL, and `api_schema`
derives the graphql-core schema that clients see. Composition produces this model; planner and executor only read it.
"""
