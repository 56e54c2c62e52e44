"""Titles, films, bookmarks and the outbox in a relational store: SQLite by default, PostgreSQL by URL.

Positions are written by one group-committing writer: many waiting heartbeats become one transaction, and each is
acknowledged after that transaction's commit. Instants are stored as whole microseconds since 1970, in UTC.
"""
