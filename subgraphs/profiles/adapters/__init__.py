"""The profiles subgraph's ports on real things: SQL stores and the argon2 password hasher.

Foreign types and exceptions stop here; services see domain objects and outcomes only.
"""
