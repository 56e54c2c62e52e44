"""Licensing and steering over gRPC, with the caller's deadline and the viewer context in the metadata.

A failed call becomes a ServiceError of the same kind; what a service says to us is only passed on to clients where
they can act on it.
"""
