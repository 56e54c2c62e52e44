"""The profiles subgraph's GraphQL: types, queries, mutations and entities over the services.

Nothing is decided here: resolvers ask a service or a loader and give its answer a GraphQL shape.
"""
