"""The titles subgraph's GraphQL: types, queries, mutations and entity references, and the internal HTTP routes.

Resolvers translate between GraphQL and the services; what a viewer may see is decided in the services. The schema that
comes of it is committed as schema/subgraphs/titles.graphql.
"""

import subgraphs.titles.api.enums  # noqa: F401  # before any type names one
