"""Licensing's ports on real things: the database, and the master key that wraps what is secret in it.

SQLite or PostgreSQL by URL, with the same promises from both.
"""
