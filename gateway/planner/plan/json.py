"""A query plan as JSON, in the node kinds that other gateways use; further keys say what others leave implicit."""

from __future__ import annotations

from typing import Any, assert_never

from gateway.graphql_kit.paths import EveryItem, FlattenPath, KeyElement, TypeCondition
from gateway.planner.plan.arrange import Arranged, ConditionNode, ParallelNode, SequenceNode, arrange
from gateway.planner.plan.nodes import (
    EntityInput,
    EntityStep,
    OutputRewrite,
    QueryPlan,
    RepresentationField,
    RepresentationShape,
    RootStep,
)

__all__ = ["plan_to_json"]


def plan_to_json(plan: QueryPlan) -> dict[str, Any]:
    """The plan as JSON values. `node` is absent when there is nothing to fetch."""
    root = arrange(plan)
    result: dict[str, Any] = {"kind": "QueryPlan"}
    if root is not None:
        result["node"] = _node(root)
    return result | {"verdict": plan.verdict.value, "cost": plan.cost, "statesExplored": plan.states_explored}


def _node(node: Arranged) -> dict[str, Any]:
    match node:
        case SequenceNode(nodes):
            return {"kind": "Sequence", "nodes": [_node(child) for child in nodes]}
        case ParallelNode(nodes):
            return {"kind": "Parallel", "nodes": [_node(child) for child in nodes]}
        case ConditionNode(condition, child):
            clause = "elseClause" if condition.negated else "ifClause"
            return {"kind": "Condition", "condition": condition.variable, clause: _node(child)}
        case RootStep():
            fetch = _fetch(node) | _rewrites(node.output_rewrites)
            return {"kind": "Flatten", "path": _path(node.path), "node": fetch} if node.path else fetch
        case EntityStep():
            return _entity_step(node)
        case _:
            assert_never(node)


def _fetch(step: RootStep | EntityStep) -> dict[str, Any]:
    return {
        "kind": "Fetch",
        "id": step.id,
        "dependsOn": list(step.depends_on),
        "serviceName": step.subgraph,
        "variableUsages": list(step.variables),
        "operationKind": step.kind,
        "operationName": step.operation_name,
        "operation": step.operation,
    }


def _entity_step(step: EntityStep) -> dict[str, Any]:
    if len(step.inputs) == 1 and len(step.inputs[0].paths) == 1:
        (item,) = step.inputs
        fetch = _fetch(step) | {"requires": _shapes(item)} | _contexts(item) | _rewrites(item.output_rewrites)
        return {"kind": "Flatten", "path": _path(item.paths[0]), "node": fetch}
    inputs = [
        {
            "alias": item.alias,
            "representationsVariable": item.variable,
            "paths": [_path(path) for path in item.paths],
            "requires": _shapes(item),
        }
        | _contexts(item)
        | _rewrites(item.output_rewrites)
        for item in step.inputs
    ]
    return _fetch(step) | {"kind": "BatchFetch", "inputs": inputs}


def _shapes(item: EntityInput) -> list[dict[str, Any]]:
    return [_shape(shape) for shape in item.shapes]


def _shape(shape: RepresentationShape) -> dict[str, Any]:
    return {
        "kind": "InlineFragment",
        "typeConditions": None if shape.type_names is None else list(shape.type_names),
        "sentTypename": shape.sent_typename,
        "selections": [_field(field) for field in shape.fields],
    }


def _field(field: RepresentationField) -> dict[str, Any]:
    result: dict[str, Any] = {"kind": "Field", "name": field.name}
    if field.source_key != field.name:
        result["sourceKey"] = field.source_key
    if field.type_names is not None:
        result["typeConditions"] = list(field.type_names)
    if field.fields:
        result["selections"] = [_field(nested) for nested in field.fields]
    return result


def _contexts(item: EntityInput) -> dict[str, Any]:
    if not item.contexts:
        return {}
    return {
        "contextVariables": [
            {"variable": each.variable, "type": each.type, "level": each.level, "keys": list(each.keys)}
            for each in item.contexts
        ]
    }


def _rewrites(rewrites: tuple[OutputRewrite, ...]) -> dict[str, Any]:
    if not rewrites:
        return {}
    return {
        "outputRewrites": [
            {"path": _path(rewrite.path), "rename": rewrite.source_key, "to": rewrite.response_key}
            for rewrite in rewrites
        ]
    }


def _path(path: FlattenPath) -> list[str]:
    elements: list[str] = []
    for element in path:
        match element:
            case KeyElement(response_key):
                elements.append(response_key)
            case EveryItem():
                elements.append("@")
            case TypeCondition(type_names):
                elements.append(f"|[{','.join(type_names)}]")
            case _:
                assert_never(element)
    return elements
