"""Is the document valid GraphQL? graphql-core decides, on the document completed with what its links define."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from graphql import (
    DefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    ListValueNode,
    Node,
    NullValueNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ObjectValueNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    Undefined,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    ValueNode,
    build_ast_schema,
    is_input_object_type,
    is_input_type,
    is_list_type,
    is_non_null_type,
    print_ast,
    type_from_ast,
    validate_schema,
    value_from_ast,
)
from graphql.validation.validate import validate_sdl

__all__ = ["check_graphql_validity", "type_system_errors", "wrong_values"]

Problem = Callable[[str, Node | None], None]

_AS_DEFINITION: dict[type[Node], type[Any]] = {
    ScalarTypeExtensionNode: ScalarTypeDefinitionNode,
    ObjectTypeExtensionNode: ObjectTypeDefinitionNode,
    InterfaceTypeExtensionNode: InterfaceTypeDefinitionNode,
    UnionTypeExtensionNode: UnionTypeDefinitionNode,
    EnumTypeExtensionNode: EnumTypeDefinitionNode,
    InputObjectTypeExtensionNode: InputObjectTypeDefinitionNode,
}
_PARTS = ("name", "directives", "interfaces", "fields", "types", "values", "loc")


def check_graphql_validity(
    definitions: Sequence[DefinitionNode], added: Sequence[DefinitionNode], problem: Problem
) -> None:
    """Reports every violation. A missing Query is none: another subgraph will have one."""
    document = DocumentNode(definitions=(*_with_bases(definitions), *added))
    errors = validate_sdl(document)
    if errors:
        _report(errors, problem)
        return
    try:
        schema = build_ast_schema(document, assume_valid_sdl=True)
    except (TypeError, GraphQLError) as failure:  # names that begin with digits, cyclic unions and the like
        problem(str(failure), None)
        return
    # Another subgraph may have the queries, and then Query may be missing or empty here.
    query = schema.query_type.name if schema.query_type else "Query"
    allowed = ("Query root type must be provided", f"Type {query} must define one or more fields")
    errors = [error for error in type_system_errors(schema) if not error.message.startswith(allowed)]
    _report(errors, problem)
    if not errors:
        for node, message in wrong_values(schema, definitions):
            problem(message, node)


def type_system_errors(schema: GraphQLSchema) -> list[GraphQLError]:
    """What graphql-core finds, except for deprecations that differ between a field and its interface.

    That rule is younger than most schemas, and merging brings deprecations of several subgraphs together.
    """
    return [error for error in validate_schema(schema) if "is not deprecated, so implementation" not in error.message]


def _report(errors: Sequence[GraphQLError], problem: Problem) -> None:
    for error in errors:
        problem(error.message, error.nodes[0] if error.nodes else None)


def _with_bases(definitions: Sequence[DefinitionNode]) -> Iterator[DefinitionNode]:
    """Federation lets a document extend a type that only others define: its first extension then is the definition."""
    defined = {node.name.value for node in definitions if isinstance(node, TypeDefinitionNode)}
    for node in definitions:
        if isinstance(node, TypeExtensionNode) and node.name.value not in defined:
            defined.add(node.name.value)
            parts = {part: getattr(node, part) for part in _PARTS if hasattr(node, part)}
            yield _AS_DEFINITION[type(node)](**parts)
        else:
            yield node


def wrong_values(schema: GraphQLSchema, definitions: Sequence[DefinitionNode]) -> Iterator[tuple[Node, str]]:
    """Arguments of applied directives and defaults of arguments and input fields that do not fit their types."""
    for node in _walk(definitions):
        if isinstance(node, InputValueDefinitionNode) and node.default_value is not None:
            expected = type_from_ast(schema, node.type)
            if is_input_type(expected) and not _fits(node.default_value, expected):
                text = print_ast(node.default_value)
                yield node, f'the default {text} of "{node.name.value}" is not of the type {print_ast(node.type)}'
        for use in getattr(node, "directives", None) or ():
            directive = schema.get_directive(use.name.value)
            for argument in use.arguments or ():
                if directive is None or argument.name.value not in directive.args:
                    continue
                wanted = directive.args[argument.name.value].type
                if not _fits(argument.value, wanted):
                    place = f'argument "{argument.name.value}" of {print_ast(use)}'
                    yield use, f"the {place} is not of the type {wanted}"


def _fits(value: ValueNode, expected: GraphQLInputType) -> bool:
    """Whether a value is of a type; input objects may lack required fields, which only matters when they are used."""
    if is_non_null_type(expected):
        return not isinstance(value, NullValueNode) and _fits(value, expected.of_type)
    if isinstance(value, NullValueNode):
        return True
    if is_list_type(expected):
        items = value.values or () if isinstance(value, ListValueNode) else (value,)
        return all(_fits(item, expected.of_type) for item in items)
    if is_input_object_type(expected):
        if not isinstance(value, ObjectValueNode):
            return False
        fields = {field.name.value: field.value for field in value.fields or ()}
        return all(name in expected.fields and _fits(own, expected.fields[name].type) for name, own in fields.items())
    return value_from_ast(value, expected) is not Undefined


def _walk(nodes: Sequence[Node]) -> Iterator[Node]:
    """Every definition and the parts of it that can carry directives."""
    for node in nodes:
        yield node
        for part in ("fields", "values", "arguments"):
            yield from _walk(getattr(node, part, None) or ())
