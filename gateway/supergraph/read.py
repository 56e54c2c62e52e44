"""Supergraph SDL → model, for any composer and any version of the join specification (v0.1 to v0.5).

The document is read in one pass over its definitions: the schema's @link or @core headers say under which names
the join directives go, the graph enum says which subgraphs there are, and each type is read with its provenance.
Join v0.1 (Federation 1) says less than later versions; legacy_join.py fills in what it leaves implicit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLSyntaxError,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    OperationType,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)

from gateway.graphql_kit.collector import paused_collector
from gateway.graphql_kit.type_refs import named_type, read_type_ref
from gateway.supergraph.join_directives import JoinNames, SupergraphInvalid, join_names, refuse
from gateway.supergraph.legacy_join import fill_in_legacy_joins
from gateway.supergraph.links import LinkInvalid, link_prefix, link_specification, read_links
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
    LinkedSpecification,
    ObjectType,
    ScalarType,
    Subgraph,
    SubgraphName,
    Supergraph,
    TypeDefinition,
    TypeJoin,
    UnionType,
)

__all__ = ["SupergraphInvalid", "read_supergraph"]

_BUILT_IN_SCALARS = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_MACHINERY = frozenset({"link", "core", "join"})
_SPECIFIED_DIRECTIVES = frozenset({"skip", "include", "deprecated", "specifiedBy", "oneOf", "defer", "stream"})


def read_supergraph(sdl: str) -> Supergraph:
    """The model of a supergraph document; raises SupergraphInvalid, which says what is wrong and where."""
    with paused_collector():
        return _read_supergraph(sdl)


def _read_supergraph(sdl: str) -> Supergraph:
    document = _parse(sdl)
    schema = [d for d in document.definitions if isinstance(d, SchemaDefinitionNode | SchemaExtensionNode)]
    header = [directive for node in schema for directive in node.directives or ()]
    try:
        links = read_links(header)
    except LinkInvalid as problem:
        raise SupergraphInvalid(str(problem)) from problem
    join = join_names(links)
    subgraphs = _read_subgraphs(document, join)
    reader = _Reader(join, {graph.graph_enum: graph.name for graph in subgraphs.values()}, _hidden_prefixes(links))
    definitions = [d for d in document.definitions if isinstance(d, TypeDefinitionNode)]
    types: dict[str, TypeDefinition] = {}
    for definition in definitions:
        name = definition.name.value
        if reader.is_machinery(name):
            continue
        if name in types:
            raise refuse(f'the type "{name}" is defined twice', definition)
        types[name] = reader.read_type(definition)
    roots = _root_types(schema, types)
    supergraph = Supergraph(
        subgraphs=subgraphs,
        types=_with_possible_types(types),
        query_type=roots.get("query", "Query"),
        mutation_type=roots.get("mutation"),
        subscription_type=roots.get("subscription"),
        directive_definitions=reader.read_directive_definitions(document.definitions),
        links=tuple(link for link in links if link_specification(link) not in _MACHINERY),
        description=next((text for text in map(_description, schema) if text is not None), None),
        schema_directives=reader.other_directives(d for d in header if not read_links([d])),
    )
    if join.version == (0, 1):
        supergraph = fill_in_legacy_joins(supergraph, reader.owners)
    _check_references(supergraph)
    return supergraph


def _parse(sdl: str) -> DocumentNode:
    try:
        return parse(sdl)
    except GraphQLSyntaxError as problem:
        place = problem.locations[0] if problem.locations else None
        raise SupergraphInvalid(
            problem.message, place.line if place else None, place.column if place else None
        ) from None
    except RecursionError:
        raise SupergraphInvalid("the document is nested too deeply to be read") from None


def _read_subgraphs(document: DocumentNode, join: JoinNames) -> dict[SubgraphName, Subgraph]:
    for definition in document.definitions:
        if isinstance(definition, EnumTypeDefinitionNode) and definition.name.value == join.graph_enum:
            break
    else:
        raise SupergraphInvalid(f'the enum "{join.graph_enum}" that lists the subgraphs is missing')
    subgraphs: dict[SubgraphName, Subgraph] = {}
    for value in definition.values or ():
        arguments = join.arguments(value.directives or (), join.graph)
        if len(arguments) != 1:
            raise refuse(f'"{join.graph_enum}.{value.name.value}" needs exactly one @{join.graph}', value)
        name, url = arguments[0].get("name"), arguments[0].get("url")
        if not isinstance(name, str):
            raise refuse(f'"{join.graph_enum}.{value.name.value}" does not say its subgraph\'s name', value)
        if name in subgraphs:
            raise refuse(f'two subgraphs are named "{name}"', value)
        real = SubgraphName(name)
        subgraphs[real] = Subgraph(real, value.name.value, url if isinstance(url, str) else "")
    return subgraphs


def _hidden_prefixes(links: Iterable[LinkedSpecification]) -> tuple[str, ...]:
    """What the names of join, link and core elements begin with: written anew each time, never part of the model."""
    own = (f"{link_prefix(link)}__" for link in links if link_specification(link) in _MACHINERY)
    return (*own, "link__", "core__", "join__")


def _root_types(
    schema: Sequence[SchemaDefinitionNode | SchemaExtensionNode], types: Mapping[str, TypeDefinition]
) -> dict[str, str]:
    roots: dict[str, str] = {}
    for node in schema:
        for operation in node.operation_types or ():
            roots[operation.operation.value] = operation.type.name.value
    if not roots:
        roots = {kind.value: kind.value.title() for kind in OperationType if kind.value.title() in types}
    for kind, name in roots.items():
        if not isinstance(types.get(name), ObjectType):
            raise SupergraphInvalid(f'the {kind} root type "{name}" is not an object type of the document')
    if "query" not in roots:
        raise SupergraphInvalid("the schema has no query root type")
    return roots


def _with_possible_types(types: Mapping[str, TypeDefinition]) -> dict[str, TypeDefinition]:
    implementations: dict[str, list[str]] = {}
    for definition in types.values():
        if isinstance(definition, ObjectType):
            for interface in definition.interfaces or ():
                implementations.setdefault(interface, []).append(definition.name)
    return {
        name: replace(definition, possible_types=tuple(sorted(implementations.get(name, ()))))
        if isinstance(definition, InterfaceType)
        else definition
        for name, definition in types.items()
    }


def _check_references(supergraph: Supergraph) -> None:
    """Every type that is named exists, so that later stages need not ask."""
    known = supergraph.types.keys() | _BUILT_IN_SCALARS

    def require(name: str, place: str) -> None:
        if name not in known:
            raise SupergraphInvalid(f'{place} refers to the type "{name}", which the document does not define')

    for definition in supergraph.types.values():
        match definition:
            case ObjectType() | InterfaceType():
                for interface in definition.interfaces or ():
                    if not isinstance(supergraph.types.get(interface), InterfaceType):
                        raise SupergraphInvalid(
                            f'"{definition.name}" implements "{interface}", which is not an interface'
                        )
                for field in definition.fields.values():
                    require(named_type(field.type), f"{definition.name}.{field.name}")
                    for argument in field.arguments.values():
                        require(named_type(argument.type), f"{definition.name}.{field.name}({argument.name}:)")
            case InputObjectType():
                for input_field in definition.fields.values():
                    require(named_type(input_field.type), f"{definition.name}.{input_field.name}")
            case UnionType():
                for member in definition.members:
                    require(member, f'the union "{definition.name}"')
            case _:
                pass


class _Reader:
    """Reads definitions, knowing the join names and the subgraphs; `owners` collects v0.1's @join__owner."""

    def __init__(self, join: JoinNames, names: Mapping[str, SubgraphName], hidden: tuple[str, ...]) -> None:
        self.join = join
        self.names = names
        self.hidden = hidden
        self.owners: dict[str, SubgraphName] = {}

    def is_machinery(self, name: str) -> bool:
        return name.startswith(self.hidden) or name in self.join.type_names

    def subgraph(self, value: object, node: Node) -> SubgraphName:
        name = self.names.get(value) if isinstance(value, str) else None
        if name is None:
            known = ", ".join(self.names) or "none"
            raise refuse(f'"{value}" is not a value of "{self.join.graph_enum}" (known: {known})', node)
        return name

    def read_type(self, node: TypeDefinitionNode) -> TypeDefinition:
        joins = self.type_joins(node)
        name, description = node.name.value, _description(node)
        directives = self.other_directives(node.directives or ())
        match node:
            case ObjectTypeDefinitionNode():
                interfaces = tuple(i.name.value for i in node.interfaces or ())
                return ObjectType(name, self.fields(node, joins), interfaces, joins, description, directives)
            case InterfaceTypeDefinitionNode():
                interfaces = tuple(i.name.value for i in node.interfaces or ())
                return InterfaceType(name, self.fields(node, joins), interfaces, (), joins, description, directives)
            case UnionTypeDefinitionNode():
                return UnionType(name, self.members(node, joins), joins, description, directives)
            case EnumTypeDefinitionNode():
                return EnumType(name, self.enum_values(node, joins), joins, description, directives)
            case InputObjectTypeDefinitionNode():
                one_of = any(d.name.value == "oneOf" for d in node.directives or ())
                return InputObjectType(name, self.input_fields(node, joins), joins, one_of, description, directives)
            case ScalarTypeDefinitionNode():
                return ScalarType(name, joins, _specified_by(node), description, directives)
            case _:
                raise refuse(f'"{name}" is a kind of definition that is not known here', node)

    def type_joins(self, node: TypeDefinitionNode) -> dict[SubgraphName, TypeJoin]:
        joins: dict[SubgraphName, TypeJoin] = {}
        for owner in self.join.arguments(node.directives or (), self.join.owner):
            self.owners[node.name.value] = self.subgraph(owner.get("graph"), node)
        for arguments in self.join.arguments(node.directives or (), self.join.type):
            subgraph = self.subgraph(arguments.get("graph"), node)
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
                subgraph, interface = self.subgraph(arguments.get("graph"), node), str(arguments.get("interface"))
                join = joins.get(subgraph, TypeJoin(subgraph))
                joins[subgraph] = replace(join, interfaces=(*join.interfaces, interface))
            if not declared:
                names = tuple(i.name.value for i in interfaces)
                joins = {subgraph: replace(join, interfaces=names) for subgraph, join in joins.items()}
        return joins

    def fields(
        self, node: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode, joins: Mapping[SubgraphName, TypeJoin]
    ) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for field in node.fields or ():
            if field.name.value in fields:
                raise refuse(f'the field "{node.name.value}.{field.name.value}" is defined twice', field)
            fields[field.name.value] = Field(
                name=field.name.value,
                type=read_type_ref(field.type),
                arguments=self.arguments(field.arguments or ()),
                joins=self.field_joins(field, joins),
                description=_description(field),
                directives=self.other_directives(field.directives or ()),
            )
        return fields

    def field_joins(
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
            subgraph = self.subgraph(arguments["graph"], field)
            by_subgraph[subgraph] = self.join.field_join(subgraph, field_type, arguments, self.names_by_real(), field)
        return by_subgraph

    def names_by_real(self) -> frozenset[SubgraphName]:
        return frozenset(self.names.values())

    def arguments(self, nodes: Iterable[InputValueDefinitionNode]) -> dict[str, Argument]:
        return {
            node.name.value: Argument(
                name=node.name.value,
                type=read_type_ref(node.type),
                default=print_ast(node.default_value) if node.default_value else None,
                description=_description(node),
                directives=self.other_directives(node.directives or ()),
            )
            for node in nodes
        }

    def members(
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
            members[member].append(self.subgraph(arguments.get("graph"), node))
        return {member: tuple(subgraphs) for member, subgraphs in members.items()}

    def enum_values(self, node: EnumTypeDefinitionNode, joins: Mapping[SubgraphName, TypeJoin]) -> dict[str, EnumValue]:
        values: dict[str, EnumValue] = {}
        for value in node.values or ():
            declared = self.join.arguments(value.directives or (), self.join.enum_value)
            subgraphs = tuple(self.subgraph(a.get("graph"), value) for a in declared) if declared else tuple(joins)
            directives = self.other_directives(value.directives or ())
            values[value.name.value] = EnumValue(value.name.value, subgraphs, _description(value), directives)
        return values

    def input_fields(
        self, node: InputObjectTypeDefinitionNode, joins: Mapping[SubgraphName, TypeJoin]
    ) -> dict[str, InputField]:
        fields: dict[str, InputField] = {}
        for field in node.fields or ():
            field_type = read_type_ref(field.type)
            types = dict.fromkeys(joins, field_type)
            if declared := self.join.arguments(field.directives or (), self.join.field):
                types = {
                    self.subgraph(a["graph"], field): self.join.type_ref(a.get("type"), field_type, field)
                    for a in declared
                    if a.get("graph") is not None
                }
            fields[field.name.value] = InputField(
                name=field.name.value,
                type=field_type,
                types=types,
                default=print_ast(field.default_value) if field.default_value else None,
                description=_description(field),
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
        return {
            node.name.value: DirectiveDefinition(
                name=node.name.value,
                locations=tuple(location.value for location in node.locations),
                arguments=self.arguments(node.arguments or ()),
                repeatable=node.repeatable,
                description=_description(node),
            )
            for node in definitions
            if isinstance(node, DirectiveDefinitionNode)
            and node.name.value not in _SPECIFIED_DIRECTIVES
            and node.name.value not in ("link", "core")
            and not node.name.value.startswith(self.hidden)
            and node.name.value not in self.join.consumed
        }


def _description(node: Node) -> str | None:
    description = getattr(node, "description", None)
    return description.value if isinstance(description, StringValueNode) else None


def _specified_by(node: ScalarTypeDefinitionNode) -> str | None:
    for directive in node.directives or ():
        if directive.name.value == "specifiedBy":
            for argument in directive.arguments or ():
                if argument.name.value == "url" and isinstance(argument.value, StringValueNode):
                    return argument.value.value
    return None
