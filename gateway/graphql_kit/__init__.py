"""GraphQL helpers that know nothing of federation: type references, selections, field sets, paths.

All are immutable values with one canonical text, so that comparing texts is comparing meanings. Every other folder of
the gateway may import this one; it imports none of them.
"""
