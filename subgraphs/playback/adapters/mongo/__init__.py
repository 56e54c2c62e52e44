"""Titles, films, bookmarks and downloads in MongoDB: documents that are written whole or not at all.

Everything of a profile is found by its profile's id, which is in every key and every query, so that collections can be
sharded by it. Events wait in the document whose change they tell of, until the relay has published them.
"""
