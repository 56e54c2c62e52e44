"""The few things that all four subgraphs need: the app factory, the viewer, batched entities, pages, the one policy.

It knows GraphQL, federation and who is asking; it knows no title, profile or page. What only one subgraph needs
lives with that subgraph.
"""
