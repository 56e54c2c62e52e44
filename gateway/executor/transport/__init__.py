"""How subgraph requests travel: the `SubgraphTransport` role and its implementations.

`http` speaks to servers over the network, `in_process` calls an ASGI application without sockets, `recorded` answers
from a script. Only this folder of the executor does I/O; each one translates foreign errors to SubgraphError.
"""
