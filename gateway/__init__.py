"""The federation gateway: composition, planning, execution and HTTP for any supergraph; it knows nothing of films.

Folders follow the stages (`composition`, `supergraph`, `query_graph`, `planner`, `executor`, `pipeline`, `server`) and
imports go one way, from server towards supergraph. `gateway.server.app.create_app(settings)` is the service,
`gateway.cli.app` prints every stage's artifact.
"""
