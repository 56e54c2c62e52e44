"""Supergraph SDL → model, for any composer and any version of the join specification (v0.1 to v0.5).

The document is read in one pass over its definitions: the schema's @link or @core headers say under which names
the join directives go, the graph enum says which subgraphs there are, and each type is read with its provenance.
Join v0.1 (Federation 1) says less than later versions; legacy_join.py fills in what it leaves implicit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLSyntaxError,
    OperationType,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    TypeDefinitionNode,
    parse,
)

from gateway.graphql_kit.collector import paused_collector
from gateway.graphql_kit.type_refs import named_type
from gateway.supergraph.join_directives import JoinNames, SupergraphInvalid, join_names, refuse
from gateway.supergraph.legacy_join import fill_in_legacy_joins
from gateway.supergraph.links import LinkInvalid, link_prefix, link_specification, read_links
from gateway.supergraph.model import (
    InputObjectType,
    InterfaceType,
    LinkedSpecification,
    ObjectType,
    Subgraph,
    SubgraphName,
    Supergraph,
    TypeDefinition,
    UnionType,
)
from gateway.supergraph.read_types import TypeReader, read_description

__all__ = ["SupergraphInvalid", "read_supergraph"]

_BUILT_IN_SCALARS = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_MACHINERY = frozenset({"link", "core", "join"})
_APOLLO = "https://specs.apollo.dev/"
_SUPPORTED = frozenset(
    {"tag", "inaccessible", "authenticated", "requiresScopes", "policy", "context", "cost", "federation"} | _MACHINERY
)
"""Specifications that a gateway may be required to know."""


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
    _refuse_unsupported(links)
    join = join_names(links)
    subgraphs = _read_subgraphs(document, join)
    reader = TypeReader(join, {graph.graph_enum: graph.name for graph in subgraphs.values()}, _hidden_prefixes(links))
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
        description=next((text for text in map(read_description, schema) if text is not None), None),
        schema_directives=reader.other_directives(d for d in header if not read_links([d])),
    )
    if join.version == (0, 1):
        supergraph = fill_in_legacy_joins(supergraph, reader.owners)
    _check_references(supergraph)
    return supergraph


def _refuse_unsupported(links: Iterable[LinkedSpecification]) -> None:
    """A specification with a purpose must be known to whoever executes or protects the graph."""
    for link in links:
        known = link.url.startswith(_APOLLO) and link_specification(link) in _SUPPORTED
        if link.purpose is not None and not known:
            raise SupergraphInvalid(
                f'UNSUPPORTED_LINKED_FEATURE: the supergraph links "{link.url}" for {link.purpose}, which this gateway '
                "does not support; compose the graph without it"
            )


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
