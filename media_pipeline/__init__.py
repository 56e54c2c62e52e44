"""Everything between a studio's file and a player's screen: ingest, transcoding, licensing, steering and delivery.

Each service is a folder of its own and imports only `kernel`, `media`, the protos and `common`; they meet over gRPC,
Valkey and the object store. The graph never sees segments or keys: it asks licensing and steering, players ask
delivery.
"""
