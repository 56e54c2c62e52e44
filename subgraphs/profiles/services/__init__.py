"""What the profiles subgraph can do: signing in, keeping a household's profiles, My List and ratings.

Services take the viewer and the instant as arguments, ask the ports, apply the domain's rules and answer with a value
or an expected failure of `domain.outcomes`.
"""
