"""The profiles subgraph: accounts and their plans, sessions and tokens, profiles, My List and ratings.

It is the only place that sees passwords and the only one that signs access tokens. Of titles it knows just the facts
that the policy needs, which the titles subgraph's events bring.
"""
