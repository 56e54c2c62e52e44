"""Merging: valid subgraphs → one schema that records who provides what; one file per kind of definition.

`merge` reads as the order of the work. Every merging function takes the same element of all subgraphs ("sources":
subgraph → element, None where the subgraph has the type but not the element) and returns the supergraph's element.
"""
