"""Projection: the one place that makes the client's answer from the response tree.

`shape` compiles what the client asked (API schema, operation, values of @skip/@include) into a tree of shapes.
`generate` turns it into straight-line Python for answers in which everything is as promised; `project` is the careful
interpreter with paths, errors and null propagation that takes over as soon as something is not.
"""
