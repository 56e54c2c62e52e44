"""The search for the cheapest consistent choice, as general as it can be: it knows nothing of GraphQL.

`cost` holds every constant of the cost model, `combine` the exact search within a budget. What there is to choose
from is written by walk.py, and positions.py applies the search to every position of an operation.
"""
