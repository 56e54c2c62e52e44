"""Titles' snapshots in a relational store: SQLite by default, PostgreSQL by URL.

They are kept as they came, so that a new version of the code can read more from them. The catalogue in memory is
built from here at every start.
"""
