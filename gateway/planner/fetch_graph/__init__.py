"""The query tree as requests: which step asks what, and which steps lean on which.

`model` is the mutable draft that lives only while one plan is made, `build` fills it from the query tree, and `passes`
(listed in order.py) improve it. The finished draft is read by plan/emit.py.
"""
