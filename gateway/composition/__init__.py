"""Composition: subgraph SDL texts in, one supergraph or diagnostics out.

`compose` runs the stages in order (ingest, rules per subgraph, merge, rules after merge, satisfiability), each with
its own immutable type. It is total: any text leads to a supergraph or to diagnostics, and it does no I/O.
"""
