"""What the titles subgraph does: read with the policy applied, search, write, follow changes, import, draw artwork.

Services know ports and domain values, no GraphQL and no SQL; `app.py` gives them their adapters.
"""
