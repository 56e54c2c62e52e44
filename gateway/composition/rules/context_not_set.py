"""CONTEXT_NOT_SET: @fromContext stands where a context can fill something in, and names one that is set."""

from __future__ import annotations

from gateway.composition.context_uses import ContextUse, context_setters, context_uses
from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph
from gateway.composition.subgraph_schema import SubgraphSchema, TypeKind

__all__ = ["check_context_not_set"]


def check_context_not_set(subgraph: ValidSubgraph, report: Report) -> None:
    """Reports contexts that no type of the subgraph sets, and arguments that clients or interfaces count on."""
    schema = subgraph.schema
    for directive in schema.directives.values():
        for argument in directive.arguments.values():
            for applied in argument.using("fromContext"):
                message = f'"@{directive.name}({argument.name}:)" cannot be filled from a context: only fields can be'
                report.error("CONTEXT_NOT_SET", message, [(schema.name, applied.node)])
    for use in context_uses(schema):
        problem = _problem(schema, use)
        if problem is not None:
            message = f'"{use.coordinate}" cannot be filled from a context: {problem}'
            report.error("CONTEXT_NOT_SET", message, [(schema.name, use.use.node)])


def _problem(schema: SubgraphSchema, use: ContextUse) -> str | None:
    if use.parent.kind is not TypeKind.OBJECT:
        return f'"{use.parent.name}" is no object type'
    for name in use.parent.interfaces:
        interface = schema.types.get(name)
        if interface is not None and use.field.name in interface.fields:
            return f'the field implements "{name}.{use.field.name}"'
    if use.argument.default is not None:
        return "it has a default"
    if use.context is not None and not context_setters(schema, use.context):
        return f'no type of this subgraph sets the context "{use.context}"'
    return None
