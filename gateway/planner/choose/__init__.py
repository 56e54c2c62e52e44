"""Chooses one way for every field, as cheap as the cost model sees it.

`cost` holds every constant of the model, `combine` the exact search within a budget (general, knows nothing of
GraphQL), and `positions` the recursion over an operation's positions, with results shared between equal ones.
"""
