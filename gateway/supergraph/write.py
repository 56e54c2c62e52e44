"""Model → supergraph SDL in the newest join specification (v0.5), loadable by other routers.

Definitions stand in the model's order. Reading what is written gives the same model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.graphql_kit.type_refs import write_type_ref
from gateway.supergraph.model import (
    EnumType,
    Field,
    FieldJoin,
    InputField,
    InputObjectType,
    InterfaceType,
    LinkedSpecification,
    ObjectType,
    ScalarType,
    SubgraphName,
    Supergraph,
    TypeDefinition,
    TypeJoin,
    UnionType,
)
from gateway.supergraph.sdl_text import (
    body,
    described,
    directive_definition_text,
    directives_text,
    parameters_text,
    quoted,
)

__all__ = ["write_supergraph"]

_MACHINERY_DIRECTIVES = """\
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on \
SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION

directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, \
external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String, \
contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, \
resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on \
OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION"""

_MACHINERY_TYPES = """\
input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}

scalar join__DirectiveArguments

scalar join__FieldSet

scalar join__FieldValue

scalar link__Import

enum link__Purpose {
  "Metadata needed to execute operations."
  EXECUTION
  "Metadata needed to resolve fields securely."
  SECURITY
}"""


def write_supergraph(supergraph: Supergraph) -> str:
    """The supergraph as SDL text that ends in a line break."""
    printer = _Printer({name: graph.graph_enum for name, graph in supergraph.subgraphs.items()})
    graphs = [
        f"  {graph.graph_enum} @join__graph(name: {quoted(graph.name)}, url: {quoted(graph.url)})"
        for graph in supergraph.subgraphs.values()
    ]
    parts = [
        _schema_text(supergraph),
        _MACHINERY_DIRECTIVES,
        *(directive_definition_text(definition) for definition in supergraph.directive_definitions.values()),
        *_one_of_definition(supergraph),
        f"enum join__Graph{body(graphs)}",
        _MACHINERY_TYPES,
        *(printer.type_text(definition) for definition in supergraph.types.values()),
    ]
    return "\n\n".join(parts) + "\n"


def _one_of_definition(supergraph: Supergraph) -> Iterator[str]:
    """@oneOf is built into GraphQL, but not yet into every router that reads supergraphs."""
    if any(isinstance(t, InputObjectType) and t.is_one_of for t in supergraph.types.values()):
        yield "directive @oneOf on INPUT_OBJECT"


def _schema_text(supergraph: Supergraph) -> str:
    links = [
        LinkedSpecification("https://specs.apollo.dev/link/v1.0"),
        LinkedSpecification("https://specs.apollo.dev/join/v0.5", purpose="EXECUTION"),
        *supergraph.links,
    ]
    roots = [
        f"  {kind}: {name}"
        for kind, name in (
            ("query", supergraph.query_type),
            ("mutation", supergraph.mutation_type),
            ("subscription", supergraph.subscription_type),
        )
        if name is not None
    ]
    directives = [*map(_link_text, links)]
    directives += [directives_text([directive]).lstrip() for directive in supergraph.schema_directives]
    text = "schema\n" + "\n".join(f"  {directive}" for directive in directives) + body(roots, "\n{")
    return described(supergraph.description, text)


def _link_text(link: LinkedSpecification) -> str:
    arguments = [f"url: {quoted(link.url)}"]
    if link.prefix is not None:
        arguments.append(f"as: {quoted(link.prefix)}")
    if link.purpose is not None:
        arguments.append(f"for: {link.purpose}")
    if link.imports:
        imports = [
            quoted(name) if name == local else f"{{name: {quoted(name)}, as: {quoted(local)}}}"
            for name, local in link.imports.items()
        ]
        arguments.append(f"import: [{', '.join(imports)}]")
    return f"@link({', '.join(arguments)})"


class _Printer:
    """Prints definitions; knows each subgraph's enum value."""

    def __init__(self, enum_values: Mapping[SubgraphName, str]) -> None:
        self.enum_values = enum_values

    def type_text(self, definition: TypeDefinition) -> str:
        match definition:
            case ObjectType() | InterfaceType():
                keyword = "type" if isinstance(definition, ObjectType) else "interface"
                implements = f" implements {' & '.join(definition.interfaces)}" if definition.interfaces else ""
                head = f"{keyword} {definition.name}{implements}"
                joins = [*self.type_joins(definition.joins.values()), *self.implements(definition.joins.values())]
                lines = [self.field_text(field, definition) for field in definition.fields.values()]
            case UnionType():
                head, lines = f"union {definition.name}", []
                joins = [*self.type_joins(definition.joins.values()), *self.members(definition)]
            case EnumType():
                head, joins = f"enum {definition.name}", [*self.type_joins(definition.joins.values())]
                lines = [self.enum_value_text(definition, name) for name in definition.values]
            case InputObjectType():
                head, joins = f"input {definition.name}", [*self.type_joins(definition.joins.values())]
                joins += ["@oneOf"] if definition.is_one_of else []
                lines = [self.input_field_text(field, definition) for field in definition.fields.values()]
            case ScalarType():
                head, joins, lines = f"scalar {definition.name}", [*self.type_joins(definition.joins.values())], []
                url = definition.specified_by_url
                joins += [f"@specifiedBy(url: {quoted(url)})"] if url is not None else []
        joins += [directives_text([directive]).lstrip() for directive in definition.directives]
        text = head + "".join(f"\n  {join}" for join in joins) + body(lines, "\n{")
        if isinstance(definition, UnionType) and definition.members:
            text += "\n  = " + " | ".join(definition.members)
        return described(definition.description, text)

    def type_joins(self, joins: Iterable[TypeJoin]) -> Iterator[str]:
        for join in joins:
            flags = ", extension: true" if join.extension else ""
            flags_after = ", isInterfaceObject: true" if join.is_interface_object else ""
            graph = self.enum_values[join.subgraph]
            if not join.keys:
                yield f"@join__type(graph: {graph}{flags}{flags_after})"
            for key in join.keys:
                resolvable = "" if key.resolvable else ", resolvable: false"
                yield f"@join__type(graph: {graph}, key: {quoted(key.fields)}{flags}{resolvable}{flags_after})"

    def implements(self, joins: Iterable[TypeJoin]) -> Iterator[str]:
        for join in joins:
            for interface in join.interfaces:
                graph = self.enum_values[join.subgraph]
                yield f"@join__implements(graph: {graph}, interface: {quoted(interface)})"

    def members(self, union: UnionType) -> Iterator[str]:
        for member, subgraphs in union.members.items():
            for subgraph in subgraphs:
                yield f"@join__unionMember(graph: {self.enum_values[subgraph]}, member: {quoted(member)})"

    def field_text(self, field: Field, owner: ObjectType | InterfaceType) -> str:
        joins = "".join(f" {join}" for join in self.field_joins(field, owner))
        parameters = parameters_text(tuple(field.arguments.values()), "  ")
        text = f"{field.name}{parameters}: {write_type_ref(field.type)}{joins}{directives_text(field.directives)}"
        return described(field.description, text, "  ")

    def field_joins(self, field: Field, owner: ObjectType | InterfaceType) -> Iterator[str]:
        """Nothing where the field is plainly in all of the type's subgraphs: that is what its absence means."""
        plain = {subgraph: FieldJoin(subgraph, field.type) for subgraph in owner.joins}
        if field.joins == plain:
            return
        if not field.joins:
            yield "@join__field"
        labels = {j.override.source: j.override.label for j in field.joins.values() if j.override and j.override.label}
        for join in field.joins.values():
            yield self.field_join_text(join, field, labels.get(join.subgraph))

    def field_join_text(self, join: FieldJoin, field: Field, taken_over_by_label: str | None) -> str:
        label = join.override.label if join.override else taken_over_by_label
        arguments = [f"graph: {self.enum_values[join.subgraph]}"]
        if join.requires is not None:
            arguments.append(f"requires: {quoted(join.requires)}")
        if join.provides is not None:
            arguments.append(f"provides: {quoted(join.provides)}")
        if join.type != field.type:
            arguments.append(f"type: {quoted(write_type_ref(join.type))}")
        if join.external and not join.used_overridden:
            arguments.append("external: true")
        if join.override is not None:
            arguments.append(f"override: {quoted(join.override.source)}")
        if join.used_overridden:
            arguments.append("usedOverridden: true")
        if label is not None:
            arguments.append(f"overrideLabel: {quoted(label)}")
        if join.context_arguments:
            entries = [
                f"{{context: {quoted(context)}, name: {quoted(name)}, "
                f"type: {quoted(write_type_ref(type_ref))}, selection: {quoted(selection)}}}"
                for name, (context, selection, type_ref) in join.context_arguments.items()
            ]
            arguments.append(f"contextArguments: [{', '.join(entries)}]")
        return f"@join__field({', '.join(arguments)})"

    def enum_value_text(self, definition: EnumType, name: str) -> str:
        value = definition.values[name]
        joins = "".join(f" @join__enumValue(graph: {self.enum_values[subgraph]})" for subgraph in value.subgraphs)
        return described(value.description, f"{name}{joins}{directives_text(value.directives)}", "  ")

    def input_field_text(self, field: InputField, owner: InputObjectType) -> str:
        joins = ""
        if field.types != dict.fromkeys(owner.joins, field.type):
            for subgraph, type_ref in field.types.items():
                own = f", type: {quoted(write_type_ref(type_ref))}" if type_ref != field.type else ""
                joins += f" @join__field(graph: {self.enum_values[subgraph]}{own})"
        default = f" = {field.default}" if field.default is not None else ""
        text = f"{field.name}: {write_type_ref(field.type)}{default}{joins}{directives_text(field.directives)}"
        return described(field.description, text, "  ")
