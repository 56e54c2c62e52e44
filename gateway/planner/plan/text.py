"""A query plan as text, in the form that other gateways print, so that plans can be compared by eye."""

from __future__ import annotations

from typing import assert_never

from graphql import OperationDefinitionNode, parse, print_ast

from gateway.graphql_kit.paths import write_flatten_path
from gateway.planner.plan.arrange import Arranged, ConditionNode, ParallelNode, SequenceNode, arrange
from gateway.planner.plan.nodes import EntityInput, EntityStep, QueryPlan, RepresentationField, RootStep

__all__ = ["write_plan_text"]


def write_plan_text(plan: QueryPlan) -> str:
    """The plan, one node per block; ends with a newline. Internal aliases and rewrites are printed where they are."""
    root = arrange(plan)
    lines = ["QueryPlan {", *_indented(_node(root) if root is not None else []), "}"]
    return "\n".join(lines) + "\n"


def _node(node: Arranged) -> list[str]:
    match node:
        case SequenceNode(nodes):
            return _block("Sequence", [line for child in nodes for line in _node(child)])
        case ParallelNode(nodes):
            return _block("Parallel", [line for child in nodes for line in _node(child)])
        case ConditionNode(condition, child):
            return _block(f"{'Skip' if condition.negated else 'Include'}(if: ${condition.variable})", _node(child))
        case RootStep():
            fetch = _block(f'Fetch(service: "{node.subgraph}")', _operation(node) + _rewrites(node))
            return _block(f'Flatten(path: "{write_flatten_path(node.path)}")', fetch) if node.path else fetch
        case EntityStep():
            return _entity_step(node)
        case _:
            assert_never(node)


def _entity_step(step: EntityStep) -> list[str]:
    if len(step.inputs) == 1 and len(step.inputs[0].paths) == 1:
        (item,) = step.inputs
        body = [
            *_representations(item),
            *_contexts(item),
            *_with_arrow(_entity_selection(step.operation)),
            *_rewrites(item),
        ]
        fetch = _block(f'Fetch(service: "{step.subgraph}")', body)
        return _block(f'Flatten(path: "{write_flatten_path(item.paths[0])}")', fetch)
    inputs: list[str] = []
    for item in step.inputs:
        paths = [f'"{write_flatten_path(path)}"' for path in item.paths]
        inputs += _block(
            item.alias,
            ["paths: [", *_indented(paths), "]", *_representations(item), *_contexts(item), *_rewrites(item)],
        )
    return _block(f'BatchFetch(service: "{step.subgraph}")', [*_block("", inputs), *_operation(step)])


def _representations(item: EntityInput) -> list[str]:
    lines: list[str] = []
    for shape in item.shapes:
        own = shape.sent_typename is None or (shape.type_names or (shape.sent_typename,)) == (shape.sent_typename,)
        fields = ["__typename" if own else f"__typename: {shape.sent_typename}"]
        fields += [line for field in shape.fields for line in _representation_field(field)]
        lines += _block(f"... on {'|'.join(shape.type_names or (shape.sent_typename or '',))}", fields)
    return _block("", lines)


def _representation_field(field: RepresentationField) -> list[str]:
    head = field.name if field.name == field.source_key else f"{field.name}: {field.source_key}"
    if field.type_names is not None:
        head += f" on {'|'.join(field.type_names)}"
    if not field.fields:
        return [head]
    return _block(head, [line for nested in field.fields for line in _representation_field(nested)])


def _contexts(item: EntityInput) -> list[str]:
    return [
        f"${each.variable}: {each.type} from {' '.join(each.keys)} of the object at level {each.level}"
        for each in item.contexts
    ]


def _rewrites(step: RootStep | EntityInput) -> list[str]:
    return [
        f'rename {rewrite.source_key} to {rewrite.response_key} at "{write_flatten_path(rewrite.path)}"'
        for rewrite in step.output_rewrites
    ]


def _operation(step: RootStep | EntityStep) -> list[str]:
    """The operation without the name, which only repeats the step."""
    text = step.operation
    if step.operation_name is not None:
        text = text.replace(f" {step.operation_name}", "", 1)
    return print_ast(parse(text, no_location=True)).split("\n")


def _entity_selection(text: str) -> list[str]:
    """What is selected of the entities of an operation with one `_entities` field."""
    (definition,) = parse(text, no_location=True).definitions
    assert isinstance(definition, OperationDefinitionNode)
    (entities,) = definition.selection_set.selections
    selections = getattr(entities, "selection_set", None)
    assert selections is not None
    return print_ast(selections).split("\n")


def _with_arrow(lines: list[str]) -> list[str]:
    return [f"=> {lines[0]}", *lines[1:]]


def _block(head: str, lines: list[str]) -> list[str]:
    return [f"{head} {{".strip(), *_indented(lines), "}"]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]
