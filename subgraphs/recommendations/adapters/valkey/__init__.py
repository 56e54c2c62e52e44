"""Tastes, trends and finished pages on Valkey or Redis.

Each write of a taste is one script in the server, so that a late or repeated event never overwrites a newer one.
Failures become ServiceError UNAVAILABLE; pages are built without what is away.
"""
