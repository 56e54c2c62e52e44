"""What follows from one subgraph's directives: which fields are external, used, provided, shareable.

All are sets of coordinates ("Type.field"), computed once per subgraph.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.composition.context_uses import context_setters, context_uses
from gateway.composition.field_sets import named_fields, possible_objects
from gateway.composition.subgraph_schema import SubgraphField, SubgraphSchema, SubgraphType, TypeKind
from gateway.graphql_kit.type_refs import named_type

__all__ = ["SubgraphFacts", "gather_facts"]


@dataclass(frozen=True, slots=True)
class SubgraphFacts:
    """`external`: declared here, resolved elsewhere (key fields of an extension are not, whatever they say).

    `provided`: named by a @provides, so resolved here along some path. `used`: named by @key, @requires, @provides
    or @fromContext, or implementing an interface's field. `shareable`: by directive, as part of a key, or external but
    provided.
    """

    external: frozenset[str]
    provided: frozenset[str]
    used: frozenset[str]
    shareable: frozenset[str]

    def is_external(self, field: SubgraphField) -> bool:
        """Declared here but resolved elsewhere."""
        return field.coordinate in self.external

    def is_fully_external(self, field: SubgraphField) -> bool:
        """External and not even provided along any path."""
        return field.coordinate in self.external and field.coordinate not in self.provided


def gather_facts(schema: SubgraphSchema) -> SubgraphFacts:
    """The facts of one subgraph, whether its field sets are valid or not."""
    provided = frozenset(field.coordinate for field in _provided(schema))
    external = _external(schema)
    return SubgraphFacts(
        external=external,
        provided=provided,
        used=frozenset(_used(schema)) | provided,
        shareable=frozenset(_shareable(schema)) | (provided & external),
    )


def _keys(schema: SubgraphSchema, definition: SubgraphType, *, with_implementations: bool) -> Iterator[SubgraphField]:
    for key in definition.using("key"):
        yield from named_fields(schema, definition, key.text("fields"), with_implementations=with_implementations)


def _external(schema: SubgraphSchema) -> frozenset[str]:
    marked: set[str] = set()
    not_really: set[str] = set()
    for definition in schema.types.values():
        on_type = schema.federation is not None and definition.kind is TypeKind.OBJECT and definition.has("external")
        marked |= {f.coordinate for f in definition.fields.values() if on_type or f.has("external")}
        is_extension = definition.has("extends")
        for key in definition.using("key"):
            if is_extension or key.extension:
                fields = named_fields(schema, definition, key.text("fields"), with_implementations=False)
                not_really |= {field.coordinate for field in fields if field.has("external")}
    return frozenset(marked - not_really)


def _provided(schema: SubgraphSchema) -> Iterator[SubgraphField]:
    for _, field in schema.fields():
        for provides in field.using("provides"):
            target = schema.types.get(named_type(field.type))
            if target is not None and target.is_composite:
                yield from named_fields(schema, target, provides.text("fields"), with_implementations=True)


def _used(schema: SubgraphSchema) -> Iterator[str]:
    for definition in schema.types.values():
        for field in _keys(schema, definition, with_implementations=True):
            yield field.coordinate
        if definition.kind is TypeKind.INTERFACE:
            for name in possible_objects(schema, definition):
                implementation = schema.types[name]
                yield from (f"{name}.{field}" for field in definition.fields if field in implementation.fields)
    for use in context_uses(schema):
        for setter in context_setters(schema, use.context or ""):
            for named in named_fields(schema, setter, use.selection, with_implementations=True):
                yield named.coordinate
    for definition, field in schema.fields():
        for requires in field.using("requires"):
            for named in named_fields(schema, definition, requires.text("fields"), with_implementations=True):
                yield named.coordinate


def _shareable(schema: SubgraphSchema) -> Iterator[str]:
    for definition in schema.types.values():
        if definition.kind not in (TypeKind.OBJECT, TypeKind.INTERFACE):
            continue
        for field in _keys(schema, definition, with_implementations=True):
            yield field.coordinate
        if schema.federation is not None and definition.kind is TypeKind.OBJECT:
            # @shareable on a type speaks of the fields in the same block only.
            blocks = {use.extension for use in definition.using("shareable")}
            for field in definition.fields.values():
                if field.has("shareable") or field.extension in blocks:
                    yield field.coordinate
