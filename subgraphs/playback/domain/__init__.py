"""Plain values and pure rules of watching: what can be played, where somebody is in it, what comes next.

Nothing here knows a store, a clock or a network; every rule takes what it needs and returns what follows. Titles'
visibility is not decided here but by the policy that all subgraphs share.
"""
