"""Executes operations of a strawberry schema, with graphql-core's results at a fraction of its price.

`compile.py` makes a plan of an operation once: which fields each object type gives, how each is read, and how its value
becomes JSON. `run.py` carries plans out; what it answers, errors included, is held against graphql-core by property
tests. `sharing.py` keeps answers that are the same for many requests.
"""

from subgraphs.kernel.execution.compile import (
    OperationPlan,
    Setting,
    condition_variables,
    operations_of,
    plan_operation,
)
from subgraphs.kernel.execution.run import execute_plan
from subgraphs.kernel.execution.sharing import SharedAnswers, shared
from subgraphs.kernel.execution.variables import VariableReader

__all__ = [
    "OperationPlan",
    "Setting",
    "SharedAnswers",
    "VariableReader",
    "condition_variables",
    "execute_plan",
    "operations_of",
    "plan_operation",
    "shared",
]
