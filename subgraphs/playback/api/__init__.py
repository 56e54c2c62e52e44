"""Playback's part of the graph: types, queries, mutations and entity references, translated to and from the domain.

Resolvers hold no rules: they ask a service or a loader and shape the answer. `schema.py` puts the schema together.
"""
