"""The API schema that clients see, read from the subgraphs' contracts without the gateway.

The pages must be testable while no server of the product runs. An interface object's fields go to the interface and
to every type that implements it, which is what composition makes of them.
"""

from dataclasses import replace
from pathlib import Path

from graphql import (
    DocumentNode,
    FieldDefinitionNode,
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    build_ast_schema,
    parse,
)

SUBGRAPHS = Path(__file__).resolve().parents[2] / "schema" / "subgraphs"


def read_contract_schema(folder: Path = SUBGRAPHS) -> GraphQLSchema:
    """One schema of all subgraphs in a folder of SDL files."""
    definitions: dict[str, TypeDefinitionNode] = {}
    shared_fields: dict[str, dict[str, FieldDefinitionNode]] = {}
    for file_path in sorted(folder.glob("*.graphql")):
        for definition in parse(file_path.read_text()).definitions:
            if not isinstance(definition, TypeDefinitionNode):
                continue
            if isinstance(definition, ObjectTypeDefinitionNode) and _has(definition, "interfaceObject"):
                shared_fields.setdefault(definition.name.value, {}).update(_fields(definition))
            else:
                name = definition.name.value
                definitions[name] = _merge(definitions.get(name), definition)
    for interface_name, fields in shared_fields.items():
        for name, definition in definitions.items():
            if name == interface_name or _implements(definition, interface_name):
                definitions[name] = _with_fields(definition, fields)
    document = DocumentNode(definitions=tuple(definitions.values()))
    return build_ast_schema(document, assume_valid=True)


def _has(definition: TypeDefinitionNode, directive: str) -> bool:
    return any(one.name.value == directive for one in definition.directives or ())


def _fields(definition: TypeDefinitionNode) -> dict[str, FieldDefinitionNode]:
    fields = getattr(definition, "fields", None) or ()
    return {field.name.value: field for field in fields}


def _implements(definition: TypeDefinitionNode, interface_name: str) -> bool:
    interfaces = getattr(definition, "interfaces", None) or ()
    return any(interface.name.value == interface_name for interface in interfaces)


def _merge(known: TypeDefinitionNode | None, definition: TypeDefinitionNode) -> TypeDefinitionNode:
    if isinstance(known, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        return _with_fields(known, _fields(definition))
    return known or definition


def _with_fields(definition: TypeDefinitionNode, fields: dict[str, FieldDefinitionNode]) -> TypeDefinitionNode:
    assert isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
    return replace(definition, fields=tuple({**fields, **_fields(definition)}.values()))
