"""What every media service needs to run: gRPC server and guard, identity, object store, media tokens, ids.

Nothing here knows films, keys or pathways. A service builds its own settings on `MediaSettings` and starts with
`grpc_server`.
"""
