"""The gateway as an ASGI application: GraphQL over HTTP, GraphiQL from local files, health.

`app` wires it and owns every resource in its lifespan; `endpoint` speaks GraphQL over HTTP; `identity` turns a client's
token into the signed viewer context. Only this folder knows HTTP on the client's side.
"""
