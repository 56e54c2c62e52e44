"""The rules of composition: one rule, one file, named after the code that it reports.

A subgraph rule looks at one subgraph; a supergraph rule looks at the merged schema. Rules only report; law.py puts
them in order.
"""
