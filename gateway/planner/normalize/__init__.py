"""Brings a client's operation to the one form that planning and projection work on.

`normalize` reads the document through the passes listed in `order.py`; each pass is a file and keeps the operation's
meaning, the response keys and their order of first appearance. The result is a `NormalizedOperation`.
"""

from gateway.planner.normalize.operation import NormalizedOperation, VariableDefinition
from gateway.planner.normalize.order import normalize

__all__ = ["NormalizedOperation", "VariableDefinition", "normalize"]
