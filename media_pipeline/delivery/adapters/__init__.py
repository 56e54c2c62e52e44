"""Delivery's ports on real things: the object store, the other services by gRPC, the artwork origin by HTTP, Valkey.

One module per thing. Foreign errors end here: the service sees its own kinds only.
"""
