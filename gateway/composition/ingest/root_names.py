"""Root types with other names get the usual ones, so that all subgraphs' roots merge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from graphql import Node

from gateway.composition.subgraph_schema import SubgraphArgument, SubgraphField, SubgraphSchema, SubgraphType
from gateway.graphql_kit.type_refs import ListRef, NamedRef, NonNullRef, TypeRef

__all__ = ["with_usual_root_names"]


def with_usual_root_names(schema: SubgraphSchema, problem: Callable[[str, str, Node | None], None]) -> SubgraphSchema:
    """The schema with its roots named Query, Mutation and Subscription; where a type is in the way it is reported."""
    names: dict[str, str] = {}
    for kind, root in schema.roots.items():
        usual = kind.title()
        if root == usual:
            continue
        if usual in schema.types:
            message = f'"{root}" is the {kind} root type, so no other type can be named "{usual}": rename that type'
            problem(f"ROOT_{kind.upper()}_USED", message, schema.types[usual].node)
        else:
            names[root] = usual
    return _renamed(schema, names) if names else schema


def _renamed(schema: SubgraphSchema, names: dict[str, str]) -> SubgraphSchema:
    def new(name: str) -> str:
        return names.get(name, name)

    def ref(type_ref: TypeRef) -> TypeRef:
        match type_ref:
            case NamedRef(name):
                return NamedRef(new(name))
            case ListRef(of):
                return ListRef(ref(of))
            case NonNullRef(of):
                inner = ref(of)
                assert not isinstance(inner, NonNullRef)  # renaming keeps the wrapping
                return NonNullRef(inner)

    def argument(value: SubgraphArgument) -> SubgraphArgument:
        return replace(value, type=ref(value.type))

    def field(value: SubgraphField) -> SubgraphField:
        arguments = {name: argument(a) for name, a in value.arguments.items()}
        return replace(value, parent=new(value.parent), type=ref(value.type), arguments=arguments)

    def definition(value: SubgraphType) -> SubgraphType:
        return replace(
            value,
            name=new(value.name),
            fields={name: field(f) for name, f in value.fields.items()},
            inputs={name: argument(a) for name, a in value.inputs.items()},
            members=tuple(new(member) for member in value.members),
        )

    return replace(
        schema,
        types={new(name): definition(value) for name, value in schema.types.items()},
        roots={kind: new(name) for kind, name in schema.roots.items()},
    )
