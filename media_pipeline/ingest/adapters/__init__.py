"""Ingest's ports on real things: uploads in the object store, jobs by gRPC, and the keys that tell who may upload.

One module per thing. Foreign errors end here: the service sees its own kinds only.
"""
