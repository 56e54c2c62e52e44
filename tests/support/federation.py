"""A federation in one process: subgraphs as graphql-core schemas over one world of data, and a single-server oracle.

The world is `{type name: {key: object}}` plus `Query` and `Mutation` roots; every subgraph resolves the fields that its SDL
declares from the same world, so any difference between the federated answer and the oracle's is the gateway's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

__all__ = ["Fault", "Federation"]

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
"""
_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.8", import: ["@key", "@external", "@requires", '
    '"@provides", "@shareable", "@inaccessible", "@override", "@tag", "@interfaceObject", "@extends", "@context", "@fromContext"])\n'
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

    def supergraph_sdl(self) -> str:
        sources = [
            SubgraphSource(name=name, url=f"http://{name}.invalid/", sdl=_LINK + sdl)
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
            return self.execute(schemas[subgraph], request["query"], request.get("variables") or {})

        return RecordedTransport(answer)

    def oracle(self, schema: GraphQLSchema, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer of one server that holds everything; `schema` is the API schema."""
        return self.execute(schema, query, variables or {})

    def execute(self, schema: GraphQLSchema, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Run one operation on one schema over the world."""

        def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
            if info.parent_type.name in {"Query", "Mutation"}:
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
    extension += f"{keyword} Query {{ _entities(representations: [_Any!]!): [_Entity]! }}"
    extended = extend_schema(schema, parse(extension), assume_valid=True, assume_valid_sdl=True)
    if extended.query_type is None:
        extended = build_schema(_DIRECTIVES + sdl + "\n" + extension, assume_valid=True, assume_valid_sdl=True)
    assert isinstance(extended.get_type("_Entity"), GraphQLUnionType)
    return extended
