"""Uploads in the object store, jobs by gRPC, and who may upload."""
