"""From a client's operation to the requests that answer it.

Normalize, walk, choose, query tree, fetch graph, plan: each stage has its own immutable type and can be printed.
Plans are deterministic and independent of variable values, so they can be cached by operation.
"""
