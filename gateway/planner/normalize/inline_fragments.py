"""Pass: named fragments are put where they are spread; `@skip` and `@include` become conditions or are folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
)

from gateway.graphql_kit.field_sets import read_arguments
from gateway.graphql_kit.selections import (
    Condition,
    FieldSelection,
    InlineFragment,
    Selection,
    SelectionSet,
    add_conditions,
)

__all__ = ["inline_fragments"]


def inline_fragments(node: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> SelectionSet:
    """The same selections without named fragments. A fragment without type condition has the condition "".

    Each fragment is read once, and what stands twice in one selection set is kept once, so that fragments that
    spread each other repeatedly do not multiply.
    """
    return _inline(node, fragments, {})


def _inline(
    node: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], bodies: dict[str, SelectionSet]
) -> SelectionSet:
    items: list[Selection] = []
    for child in node.selections:
        conditions = read_conditions(child.directives or ())
        if conditions is None:
            continue
        match child:
            case FieldNode():
                items.append(
                    FieldSelection(
                        name=child.name.value,
                        alias=child.alias.value if child.alias else None,
                        arguments=read_arguments(tuple(child.arguments or ())),
                        conditions=conditions,
                        selections=_inline(child.selection_set, fragments, bodies) if child.selection_set else (),
                    )
                )
            case InlineFragmentNode():
                type_name = child.type_condition.name.value if child.type_condition else ""
                items.append(InlineFragment(type_name, conditions, _inline(child.selection_set, fragments, bodies)))
            case FragmentSpreadNode():
                name = child.name.value
                fragment = fragments[name]
                if name not in bodies:
                    bodies[name] = _inline(fragment.selection_set, fragments, bodies)
                body = bodies[name]
                items.append(InlineFragment(fragment.type_condition.name.value, conditions, body))
    return tuple(dict.fromkeys(items))


def read_conditions(directives: Sequence[DirectiveNode]) -> tuple[Condition, ...] | None:
    """What must hold for the selection to count; None when it never does (`@include(if: false)`)."""
    conditions: set[Condition] = set()
    for directive in directives:
        if directive.name.value not in {"skip", "include"}:
            continue
        negated = directive.name.value == "skip"
        (argument,) = directive.arguments or ()
        value = argument.value
        if isinstance(value, VariableNode):
            conditions.add(Condition(value.name.value, negated))
        elif isinstance(value, BooleanValueNode) and value.value == negated:
            return None
    result = add_conditions((), conditions)
    return None if is_contradiction(result) else result


def is_contradiction(conditions: tuple[Condition, ...]) -> bool:
    """Whether a variable is asked to be both true and false."""
    return len({c.variable for c in conditions}) < len(conditions)
