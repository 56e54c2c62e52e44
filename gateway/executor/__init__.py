"""The executor: query plan and variables in, the client's answer out.

Steps run as soon as their parents are done; each is prepare (pure), load (I/O) and merge (pure) over one response
tree. Projection alone makes the client's shape from that tree, with null propagation, and introspection is answered
from the API schema, never by a subgraph.
"""
