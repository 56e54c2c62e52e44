"""Recommendations' part of the graph: pages, sections, cards, what is like a title, feedback.

Resolvers hold no rules: they cut connections out of finished pages and shape them. `schema.py` puts the schema
together.
"""
