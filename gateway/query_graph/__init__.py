"""What can be reached from where: types in subgraphs joined by moves, derived from the supergraph alone.

`build` makes the graph, `reach` says what can be had at one object when it is known in some subgraphs (the least fixed
point of field and entity moves with their requirements), `dot` draws it. Composition's satisfiability and the
planner share it.
"""
