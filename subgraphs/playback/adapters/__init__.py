"""The ports on real parts: SQLAlchemy for what must last, Valkey for what ends by itself, gRPC for the media services.

Foreign errors are translated here into ServiceError, from the original. Only `app.py` names an
adapter; services see ports.
"""
