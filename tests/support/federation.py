"""A federation in one process: subgraphs as graphql-core schemas over one world of data, and a single-server oracle.

The world is `{type name: {key: object}}` plus `Query` and `Mutation` roots; every subgraph resolves the fields that its SDL
declares from the same world, so any difference between the federated answer and the oracle's is the gateway's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    default_field_resolver,
    execute_sync,
    extend_schema,
    parse,
)
from graphql.pyutils import is_awaitable

from gateway.composition.compose import compose
from gateway.composition.stages import Composed, SubgraphSource
from gateway.errors import SubgraphError
from gateway.executor.transport.recorded import RecordedTransport
from gateway.supergraph.write import write_supergraph

__all__ = ["Fault", "Federation", "find_in"]

_DIRECTIVES = """
scalar FieldSet
scalar _Any
directive @key(fields: FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @external on OBJECT | FIELD_DEFINITION
directive @requires(fields: FieldSet!) on FIELD_DEFINITION
directive @provides(fields: FieldSet!) on FIELD_DEFINITION
directive @shareable repeatable on OBJECT | FIELD_DEFINITION
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @override(from: String!, label: String) on FIELD_DEFINITION
directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ENUM | ENUM_VALUE | SCALAR | INPUT_OBJECT | INPUT_FIELD_DEFINITION | ARGUMENT_DEFINITION
directive @interfaceObject on OBJECT
directive @extends on OBJECT | INTERFACE
directive @context(name: String!) repeatable on OBJECT | INTERFACE | UNION
directive @fromContext(field: String) on ARGUMENT_DEFINITION
directive @composeDirective(name: String!) repeatable on SCHEMA
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @policy(policies: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
"""
_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", '
    '"@provides", "@shareable", "@inaccessible", "@override", "@tag", "@interfaceObject", "@extends", "@context", "@fromContext", '
    '"@composeDirective", "@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize"])\n'
)

Fault = Callable[[str, dict[str, Any]], Any]
"""(subgraph, request) → None to answer normally, or an answer or SubgraphError to give instead."""
Resolver = Callable[..., Any]


@dataclass
class Federation:
    """Subgraph SDLs (without the federation link, which is added) and what their fields answer.

    `roots[field](**arguments)` answers root fields, `fields["Type.field"](object, **arguments)` computed ones, everything
    else is read from the object. Objects are dicts with `__typename`. `find(typename, representation)` gives an entity.
    """

    subgraphs: Mapping[str, str]
    roots: Mapping[str, Resolver]
    find: Callable[[str, dict[str, Any]], dict[str, Any] | None]
    fields: Mapping[str, Resolver] = field(default_factory=dict)
    fault: Fault | None = None
    as_is: Collection[str] = ()
    """Subgraphs to which no federation link is added: those of Federation 1, or with links of their own."""
    refused: Mapping[str, Collection[str]] = field(default_factory=dict)
    """By subgraph: `Type.field`s that it declares but must never be asked for."""

    def supergraph_sdl(self) -> str:
        sources = [
            SubgraphSource(name=name, url=f"http://{name}.invalid/", sdl=sdl if name in self.as_is else _LINK + sdl)
            for name, sdl in self.subgraphs.items()
        ]
        result = compose(sources)
        assert isinstance(result, Composed), [str(each) for each in result.diagnostics]
        return write_supergraph(result.supergraph)

    def transport(self) -> RecordedTransport:
        schemas = {name: _subgraph_schema(sdl) for name, sdl in self.subgraphs.items()}

        def answer(subgraph: str, request: dict[str, Any]) -> Any:
            if self.fault is not None:
                instead = self.fault(subgraph, request)
                if isinstance(instead, SubgraphError):
                    raise instead
                if is_awaitable(instead) or instead is not None:
                    return instead
            return self.execute(schemas[subgraph], request["query"], request.get("variables") or {}, subgraph)

        return RecordedTransport(answer)

    def oracle(self, schema: GraphQLSchema, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer of one server that holds everything; `schema` is the API schema."""
        return self.execute(schema, query, variables or {})

    def execute(
        self, schema: GraphQLSchema, query: str, variables: dict[str, Any], subgraph: str | None = None
    ) -> dict[str, Any]:
        """Run one operation on one schema over the world; `subgraph`: whose schema it is, None for the single server."""
        refused = self.refused.get(subgraph or "", ())

        def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            if f"{info.parent_type.name}.{info.field_name}" in refused:
                raise ValueError(f"{subgraph} must not be asked for {info.parent_type.name}.{info.field_name}")
            if info.parent_type in {schema.query_type, schema.mutation_type}:
                if info.field_name == "_entities":
                    return [self._entity(schema, each) for each in arguments["representations"]]
                return self.roots[info.field_name](**arguments)
            key = f"{info.parent_type.name}.{info.field_name}"
            compute = self.fields.get(key) or self.fields.get(f"{source.get('__typename')}.{info.field_name}")
            if compute is not None:
                return compute(source, **arguments)
            return default_field_resolver(source, info, **arguments)

        def resolve_type(value: Any, _info: Any, _abstract: Any) -> str:
            return str(value["__typename"])

        result = execute_sync(
            schema, parse(query), variable_values=variables, field_resolver=resolve, type_resolver=resolve_type
        )
        payload: dict[str, Any] = {"data": result.data}
        if result.errors:
            payload["errors"] = [error.formatted for error in result.errors]
        return payload

    def _entity(self, schema: GraphQLSchema, representation: dict[str, Any]) -> dict[str, Any] | None:
        name = representation["__typename"]
        found = self.find(name, {key: value for key, value in representation.items() if key != "__typename"})
        if found is None:
            return None
        # An interface object stands for whatever the world has under its key.
        seen_as = found["__typename"] if schema.get_type(found["__typename"]) is not None else name
        # What the gateway sent wins over the world: a wrong @requires input must show.
        return {**found, **representation, "__typename": seen_as}


def _subgraph_schema(sdl: str) -> GraphQLSchema:
    """An executable subgraph schema with `_entities` over every type that has a key."""
    sdl = _with_definitions(sdl)
    schema = build_schema(_DIRECTIVES + sdl, assume_valid=True, assume_valid_sdl=True)
    entities = [
        name
        for name, type_ in schema.type_map.items()
        for node in [type_.ast_node, *(type_.extension_ast_nodes or ())]
        if node is not None
        and node.kind.startswith("object")
        and any(each.name.value == "key" for each in getattr(node, "directives", ()) or ())
    ]
    if not entities:
        return schema
    extension = f"union _Entity = {' | '.join(dict.fromkeys(entities))}\n"
    keyword = "extend type" if schema.query_type is not None else "type"
    query = schema.query_type.name if schema.query_type is not None else "Query"
    extension += f"{keyword} {query} {{ _entities(representations: [_Any!]!): [_Entity]! }}"
    extended = extend_schema(schema, parse(extension), assume_valid=True, assume_valid_sdl=True)
    if extended.query_type is None:
        extended = build_schema(_DIRECTIVES + sdl + "\n" + extension, assume_valid=True, assume_valid_sdl=True)
    assert isinstance(extended.get_type("_Entity"), GraphQLUnionType)
    return extended


def _with_definitions(sdl: str) -> str:
    """Makes definitions of extensions that have nothing to extend, which federation allows."""
    defined = set(re.findall(r"^\s*(?:type|interface|union|enum|input|scalar) (\w+)", sdl, re.MULTILINE))
    for keyword, name in re.findall(r"^\s*extend (\w+) (\w+)", sdl, re.MULTILINE):
        if keyword != "schema" and name not in defined:
            defined.add(name)
            sdl = re.sub(rf"extend {keyword} {name}\b", f"{keyword} {name}", sdl, count=1)
    return sdl


def find_in(*objects: dict[str, Any]) -> Callable[[str, dict[str, Any]], dict[str, Any] | None]:
    """A `find` for a world of these objects: the first that has everything that a representation says of it.

    What an object does not hold (computed fields) is not compared. Interface objects are found under any type.
    """

    def find(name: str, key: dict[str, Any]) -> dict[str, Any] | None:
        named = [each for each in objects if each["__typename"] == name] or list(objects)
        return next((each for each in named if _has(each, key)), None)

    return find


def _has(found: Any, wanted: Any) -> bool:
    if isinstance(found, dict) and isinstance(wanted, dict):
        return all(_has(found[key], value) for key, value in wanted.items() if key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_has, found, wanted))
    return bool(found == wanted)
