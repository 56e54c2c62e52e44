"""Ingesting: one subgraph's SDL text → `IngestedSubgraph`, or diagnostics.

The text is parsed, its @link headers are understood, its definitions become the subgraph model with federation
directives known by their own names, and the whole is checked to be valid GraphQL. Federation 1 documents are
upgraded here too, once all subgraphs are known.
"""
