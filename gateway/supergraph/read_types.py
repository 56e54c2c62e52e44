"""One type of a supergraph document → model: its join directives decoded into provenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    print_ast,
)

from gateway.graphql_kit.type_refs import read_type_ref
from gateway.supergraph.join_directives import JoinNames, refuse
from gateway.supergraph.model import (
    Argument,
    DirectiveApplication,
    DirectiveDefinition,
    EnumType,
    EnumValue,
    Field,
    FieldJoin,
    InputField,
    InputObjectType,
    InterfaceType,
    ObjectType,
    ScalarType,
    SubgraphName,
    TypeDefinition,
    TypeJoin,
    UnionType,
)

__all__ = ["TypeReader", "read_description"]

_SPECIFIED_DIRECTIVES = frozenset({"skip", "include", "deprecated", "specifiedBy", "oneOf", "defer", "stream"})


class TypeReader:
    """Reads definitions, knowing the join names and the subgraphs; `owners` collects v0.1's @join__owner."""

    def __init__(self, join: JoinNames, names: Mapping[str, SubgraphName], hidden: tuple[str, ...]) -> None:
        self.join = join
        self.names = names
        self.hidden = hidden
        self.owners: dict[str, SubgraphName] = {}

    def is_machinery(self, name: str) -> bool:
        """Whether a type belongs to the notation rather than to the schema."""
        return name.startswith(self.hidden) or name in self.join.type_names

    def _subgraph(self, value: object, node: Node) -> SubgraphName:
        name = self.names.get(value) if isinstance(value, str) else None
        if name is None:
            known = ", ".join(self.names) or "none"
            raise refuse(f'"{value}" is not a value of "{self.join.graph_enum}" (known: {known})', node)
        return name

    def read_type(self, node: TypeDefinitionNode) -> TypeDefinition:
        """One type with its provenance; raises SupergraphInvalid."""
        joins = self._type_joins(node)
        name, description = node.name.value, read_description(node)
        directives = self.other_directives(node.directives or ())
        match node:
            case ObjectTypeDefinitionNode():
                interfaces = tuple(i.name.value for i in node.interfaces or ())
                return ObjectType(name, self._fields(node, joins), interfaces, joins, description, directives)
            case InterfaceTypeDefinitionNode():
                interfaces = tuple(i.name.value for i in node.interfaces or ())
                return InterfaceType(name, self._fields(node, joins), interfaces, (), joins, description, directives)
            case UnionTypeDefinitionNode():
                return UnionType(name, self._members(node, joins), joins, description, directives)
            case EnumTypeDefinitionNode():
                return EnumType(name, self._enum_values(node, joins), joins, description, directives)
            case InputObjectTypeDefinitionNode():
                one_of = any(d.name.value == "oneOf" for d in node.directives or ())
                return InputObjectType(name, self._input_fields(node, joins), joins, one_of, description, directives)
            case ScalarTypeDefinitionNode():
                return ScalarType(name, joins, _specified_by(node), description, directives)
            case _:
                raise refuse(f'"{name}" is a kind of definition that is not known here', node)

    def _type_joins(self, node: TypeDefinitionNode) -> dict[SubgraphName, TypeJoin]:
        joins: dict[SubgraphName, TypeJoin] = {}
        for owner in self.join.arguments(node.directives or (), self.join.owner):
            self.owners[node.name.value] = self._subgraph(owner.get("graph"), node)
        for arguments in self.join.arguments(node.directives or (), self.join.type):
            subgraph = self._subgraph(arguments.get("graph"), node)
            join = joins.get(subgraph, TypeJoin(subgraph))
            keys = join.keys
            if (key := arguments.get("key")) is not None:
                keys = (
                    *keys,
                    self.join.entity_key(key, resolvable=arguments.get("resolvable") is not False, node=node),
                )
            joins[subgraph] = replace(
                join,
                keys=keys,
                extension=join.extension or arguments.get("extension") is True,
                is_interface_object=join.is_interface_object or arguments.get("isInterfaceObject") is True,
            )
        interfaces = getattr(node, "interfaces", ())
        if interfaces:
            declared = self.join.arguments(node.directives or (), self.join.implements)
            for arguments in declared:
                subgraph, interface = self._subgraph(arguments.get("graph"), node), str(arguments.get("interface"))
                join = joins.get(subgraph, TypeJoin(subgraph))
                joins[subgraph] = replace(join, interfaces=(*join.interfaces, interface))
            if not declared:
                names = tuple(i.name.value for i in interfaces)
                joins = {subgraph: replace(join, interfaces=names) for subgraph, join in joins.items()}
        return joins

    def _fields(
        self, node: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode, joins: Mapping[SubgraphName, TypeJoin]
    ) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for field in node.fields or ():
            if field.name.value in fields:
                raise refuse(f'the field "{node.name.value}.{field.name.value}" is defined twice', field)
            fields[field.name.value] = Field(
                name=field.name.value,
                type=read_type_ref(field.type),
                arguments=self._arguments(field.arguments or ()),
                joins=self._field_joins(field, joins),
                description=read_description(field),
                directives=self.other_directives(field.directives or ()),
            )
        return fields

    def _field_joins(
        self, field: FieldDefinitionNode, joins: Mapping[SubgraphName, TypeJoin]
    ) -> dict[SubgraphName, FieldJoin]:
        field_type = read_type_ref(field.type)
        declared = self.join.arguments(field.directives or (), self.join.field)
        if not declared:
            return {subgraph: FieldJoin(subgraph, field_type) for subgraph in joins}
        by_subgraph: dict[SubgraphName, FieldJoin] = {}
        for arguments in declared:
            if arguments.get("graph") is None:
                continue  # comes from an interface object: no subgraph has it on this very type
            subgraph = self._subgraph(arguments["graph"], field)
            by_subgraph[subgraph] = self.join.field_join(subgraph, field_type, arguments, self._names_by_real(), field)
        return by_subgraph

    def _names_by_real(self) -> frozenset[SubgraphName]:
        return frozenset(self.names.values())

    def _arguments(self, nodes: Iterable[InputValueDefinitionNode]) -> dict[str, Argument]:
        return {
            node.name.value: Argument(
                name=node.name.value,
                type=read_type_ref(node.type),
                default=print_ast(node.default_value) if node.default_value else None,
                description=read_description(node),
                directives=self.other_directives(node.directives or ()),
            )
            for node in nodes
        }

    def _members(
        self, node: UnionTypeDefinitionNode, joins: Mapping[SubgraphName, TypeJoin]
    ) -> dict[str, tuple[SubgraphName, ...]]:
        declared = self.join.arguments(node.directives or (), self.join.union_member)
        if not declared:
            return {member.name.value: tuple(joins) for member in node.types or ()}
        members: dict[str, list[SubgraphName]] = {member.name.value: [] for member in node.types or ()}
        for arguments in declared:
            member = str(arguments.get("member"))
            if member not in members:
                raise refuse(f'"{member}" is joined to the union "{node.name.value}" but is no member of it', node)
            members[member].append(self._subgraph(arguments.get("graph"), node))
        return {member: tuple(subgraphs) for member, subgraphs in members.items()}

    def _enum_values(
        self, node: EnumTypeDefinitionNode, joins: Mapping[SubgraphName, TypeJoin]
    ) -> dict[str, EnumValue]:
        values: dict[str, EnumValue] = {}
        for value in node.values or ():
            declared = self.join.arguments(value.directives or (), self.join.enum_value)
            subgraphs = tuple(self._subgraph(a.get("graph"), value) for a in declared) if declared else tuple(joins)
            directives = self.other_directives(value.directives or ())
            values[value.name.value] = EnumValue(value.name.value, subgraphs, read_description(value), directives)
        return values

    def _input_fields(
        self, node: InputObjectTypeDefinitionNode, joins: Mapping[SubgraphName, TypeJoin]
    ) -> dict[str, InputField]:
        fields: dict[str, InputField] = {}
        for field in node.fields or ():
            field_type = read_type_ref(field.type)
            types = dict.fromkeys(joins, field_type)
            if declared := self.join.arguments(field.directives or (), self.join.field):
                types = {
                    self._subgraph(a["graph"], field): self.join.type_ref(a.get("type"), field_type, field)
                    for a in declared
                    if a.get("graph") is not None
                }
            fields[field.name.value] = InputField(
                name=field.name.value,
                type=field_type,
                types=types,
                default=print_ast(field.default_value) if field.default_value else None,
                description=read_description(field),
                directives=self.other_directives(field.directives or ()),
            )
        return fields

    def other_directives(self, directives: Iterable[ConstDirectiveNode]) -> tuple[DirectiveApplication, ...]:
        """Everything that the join model does not consume, in order."""
        return tuple(
            DirectiveApplication(d.name.value, {a.name.value: print_ast(a.value) for a in d.arguments or ()})
            for d in directives
            if d.name.value not in self.join.consumed
        )

    def read_directive_definitions(self, definitions: Iterable[DefinitionNode]) -> dict[str, DirectiveDefinition]:
        """Definitions that are neither GraphQL's own nor the notation's."""
        return {
            node.name.value: DirectiveDefinition(
                name=node.name.value,
                locations=tuple(location.value for location in node.locations),
                arguments=self._arguments(node.arguments or ()),
                repeatable=node.repeatable,
                description=read_description(node),
            )
            for node in definitions
            if isinstance(node, DirectiveDefinitionNode)
            and node.name.value not in _SPECIFIED_DIRECTIVES
            and node.name.value not in ("link", "core")
            and not node.name.value.startswith(self.hidden)
            and node.name.value not in self.join.consumed
        }


def read_description(node: Node) -> str | None:
    """The description of a definition; None where it has none or cannot have one."""
    description = getattr(node, "description", None)
    return description.value if isinstance(description, StringValueNode) else None


def _specified_by(node: ScalarTypeDefinitionNode) -> str | None:
    for directive in node.directives or ():
        if directive.name.value == "specifiedBy":
            for argument in directive.arguments or ():
                if argument.name.value == "url" and isinstance(argument.value, StringValueNode):
                    return argument.value.value
    return None
