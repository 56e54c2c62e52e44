"""The four subgraphs of the streaming graph, and the kernel that they share.

Each subgraph owns its types and its store and imports nothing of the others: they meet in the graph and by events.
Inside one, api calls services, services call ports, adapters implement ports, and app wires them.
"""
