"""One GraphQL request without HTTP: from text and variables to refused, request error or executed.

`snapshot` holds the supergraph and everything derived from it as one swappable value, `operations` keeps what was
parsed, validated, planned and compiled, `limits` and `persisted` decide what is let in, `handle` runs a request.
"""
