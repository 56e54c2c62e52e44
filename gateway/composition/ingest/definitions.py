"""AST → subgraph model: definitions and extensions folded together, directives resolved to their roles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
)

from gateway.composition.federation_spec import (
    FEDERATION_IDENTITY,
    SPECIFICATIONS,
    UPGRADED_TO,
    federation_directives,
)
from gateway.composition.ingest.links import Links
from gateway.composition.subgraph_schema import (
    Applications,
    DirectiveUse,
    SubgraphArgument,
    SubgraphDirective,
    SubgraphEnumValue,
    SubgraphField,
    SubgraphType,
    TypeKind,
)
from gateway.graphql_kit.type_refs import read_type_ref

__all__ = ["DefinitionReader", "root_types", "without_machinery"]

MACHINERY_TYPES = frozenset({"_Any", "_Entity", "_Service"})
MACHINERY_FIELDS = frozenset({"_entities", "_service"})
# A Federation 1 document may define Federation 2's directives itself; they mean the same.
_FEDERATION_1_ROLES = frozenset(directive.name for directive in federation_directives(UPGRADED_TO))

_KINDS: dict[type[Node], TypeKind] = {
    ScalarTypeDefinitionNode: TypeKind.SCALAR,
    ScalarTypeExtensionNode: TypeKind.SCALAR,
    ObjectTypeDefinitionNode: TypeKind.OBJECT,
    ObjectTypeExtensionNode: TypeKind.OBJECT,
    InterfaceTypeDefinitionNode: TypeKind.INTERFACE,
    InterfaceTypeExtensionNode: TypeKind.INTERFACE,
    UnionTypeDefinitionNode: TypeKind.UNION,
    UnionTypeExtensionNode: TypeKind.UNION,
    EnumTypeDefinitionNode: TypeKind.ENUM,
    EnumTypeExtensionNode: TypeKind.ENUM,
    InputObjectTypeDefinitionNode: TypeKind.INPUT,
    InputObjectTypeExtensionNode: TypeKind.INPUT,
}


def root_types(definitions: Sequence[DefinitionNode]) -> dict[str, str]:
    """Operation kind → root type name, stated or by the default names."""
    stated: dict[str, str] = {}
    has_definition = False
    for node in definitions:
        if isinstance(node, SchemaDefinitionNode | SchemaExtensionNode):
            has_definition = has_definition or isinstance(node, SchemaDefinitionNode)
            for operation in node.operation_types or ():
                stated.setdefault(operation.operation.value, operation.type.name.value)
    if has_definition:
        return stated
    objects = {
        node.name.value for node in definitions if isinstance(node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode)
    }
    for kind in ("query", "mutation", "subscription"):
        if kind not in stated and kind.title() in objects:
            stated[kind] = kind.title()
    return stated


def without_machinery(definitions: Iterable[DefinitionNode]) -> list[DefinitionNode]:
    """The definitions without what every subgraph serves for gateways: `_service`, `_entities` and their types."""
    kept = [d for d in definitions if getattr(getattr(d, "name", None), "value", None) not in MACHINERY_TYPES]
    query = root_types(kept).get("query")
    return [
        _without_machinery_fields(d) if getattr(getattr(d, "name", None), "value", None) == query else d for d in kept
    ]


def _without_machinery_fields(node: DefinitionNode) -> DefinitionNode:
    if not isinstance(node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode):
        return node
    fields = tuple(field for field in node.fields or () if field.name.value not in MACHINERY_FIELDS)
    if len(fields) == len(node.fields or ()):
        return node
    return type(node)(
        name=node.name, interfaces=node.interfaces, directives=node.directives, fields=fields, loc=node.loc
    )


class DefinitionReader:
    """Reads the definitions of one document; `links` says what its directives mean."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.is_federation_1 = links.by_identity(FEDERATION_IDENTITY) is None
        self.roles: dict[str, str | None] = {}

    def role(self, directive: str) -> str | None:
        """The federation directive that a name of this document stands for."""
        if directive not in self.roles:
            self.roles[directive] = self._find_role(directive)
        return self.roles[directive]

    def _find_role(self, directive: str) -> str | None:
        source = self.links.source_of(directive)
        if source is not None:
            link, own_name = source
            return own_name if link.identity == FEDERATION_IDENTITY or link.identity in SPECIFICATIONS else None
        return directive if self.is_federation_1 and directive in _FEDERATION_1_ROLES else None

    def uses(self, directives: Iterable[ConstDirectiveNode] | None, extension: int = 0) -> Applications:
        """Applied directives with their roles."""
        return tuple(
            DirectiveUse(
                name=node.name.value,
                role=self.role(node.name.value),
                arguments={argument.name.value: argument.value for argument in node.arguments or ()},
                node=node,
                extension=extension,
            )
            for node in directives or ()
        )

    def read_types(self, definitions: Iterable[DefinitionNode]) -> dict[str, SubgraphType]:
        """All types, each folded from its definition and extensions."""
        grouped: dict[str, list[Any]] = {}
        for node in definitions:
            if isinstance(node, TypeDefinitionNode | TypeExtensionNode):
                grouped.setdefault(node.name.value, []).append(node)
        return {name: self.fold(name, nodes) for name, nodes in grouped.items()}

    def fold(self, name: str, nodes: list[Any]) -> SubgraphType:
        """One type from all its definitions and extensions; parts of another kind are left to the validity check."""
        definitions = [node for node in nodes if isinstance(node, TypeDefinitionNode)]
        extensions = [node for node in nodes if not isinstance(node, TypeDefinitionNode)]
        parts = [*((0, node) for node in definitions), *enumerate(extensions, start=1)]
        kind = _KINDS[type((definitions or extensions)[0])]
        parts = [(index, node) for index, node in parts if _KINDS[type(node)] is kind]
        fields = [
            self.field(name, field, index)
            for index, node in parts
            if kind in (TypeKind.OBJECT, TypeKind.INTERFACE)
            for field in node.fields or ()
        ]
        interfaces = [i.name.value for _, node in parts for i in getattr(node, "interfaces", None) or ()]
        return SubgraphType(
            name=name,
            description=next((text for _, node in parts if (text := _description(node)) is not None), None),
            uses=tuple(use for index, node in parts for use in self.uses(node.directives, index)),
            node=parts[0][1],
            kind=kind,
            interfaces=tuple(dict.fromkeys(interfaces)),
            fields={field.name: field for field in fields},
            inputs={
                field.name.value: self.argument(field)
                for _, node in parts
                if kind is TypeKind.INPUT
                for field in node.fields or ()
            },
            members=tuple(dict.fromkeys(m.name.value for _, n in parts for m in getattr(n, "types", None) or ())),
            values={
                value.name.value: SubgraphEnumValue(
                    value.name.value, _description(value), self.uses(value.directives), value
                )
                for _, node in parts
                if kind is TypeKind.ENUM
                for value in node.values or ()
            },
            is_defined=bool(definitions),
            is_extended=bool(extensions),
        )

    def field(self, parent: str, node: FieldDefinitionNode, extension: int) -> SubgraphField:
        """A field of an object or interface."""
        return SubgraphField(
            name=node.name.value,
            description=_description(node),
            uses=self.uses(node.directives, extension),
            node=node,
            parent=parent,
            type=read_type_ref(node.type),
            arguments={argument.name.value: self.argument(argument) for argument in node.arguments or ()},
            extension=extension,
        )

    def argument(self, node: InputValueDefinitionNode) -> SubgraphArgument:
        """An argument or input field."""
        return SubgraphArgument(
            name=node.name.value,
            description=_description(node),
            uses=self.uses(node.directives),
            node=node,
            type=read_type_ref(node.type),
            default=node.default_value,
        )

    def read_directives(self, definitions: Iterable[DefinitionNode]) -> dict[str, SubgraphDirective]:
        """The document's directive definitions."""
        return {
            node.name.value: SubgraphDirective(
                name=node.name.value,
                description=_description(node),
                node=node,
                arguments={argument.name.value: self.argument(argument) for argument in node.arguments or ()},
                locations=tuple(location.value for location in node.locations),
                is_repeatable=node.repeatable,
            )
            for node in definitions
            if isinstance(node, DirectiveDefinitionNode)
        }


def _description(node: Any) -> str | None:
    description = getattr(node, "description", None)
    return description.value if isinstance(description, StringValueNode) else None
