"""Where the titles subgraph touches the world: SQL, tantivy, events, the object store and the drawing process.

Each module implements one port; foreign errors are translated here and nowhere else.
"""
