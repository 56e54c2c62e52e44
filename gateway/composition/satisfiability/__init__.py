"""Whether every operation that a client may write can be answered.

`check` walks the API schema and the query graph together, `witness` writes an operation that can't be answered, and
`reasons` says per subgraph why not.
"""

from gateway.composition.satisfiability.check import check_satisfiability

__all__ = ["check_satisfiability"]
