"""Federation 1 subgraphs brought up to Federation 2, so that everything after knows one language only.

Federation 1 let much pass that means nothing (unused externals, keys on interfaces, provisions of own fields) and
left sharing implicit. Each step below removes one such thing; what a step needs to know of other subgraphs it takes
from them as they were written. Invariant: the result keeps the rules of a Federation 2 subgraph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from graphql import EnumValueNode, FieldNode, InlineFragmentNode, ListValueNode, SelectionSetNode, StringValueNode
from graphql import print_ast as print_node

from gateway.composition.federation_spec import UPGRADED_TO
from gateway.composition.field_sets import FieldSetProblem, check_selections, named_fields, possible_objects
from gateway.composition.report import Report
from gateway.composition.subgraph_facts import SubgraphFacts, gather_facts
from gateway.composition.subgraph_schema import (
    Applications,
    DirectiveUse,
    SubgraphField,
    SubgraphSchema,
    SubgraphType,
    TypeKind,
)
from gateway.graphql_kit.field_set_text import FieldSetInvalid, parse_field_set, write_field_set
from gateway.graphql_kit.type_refs import named_type

__all__ = ["upgrade_subgraphs"]


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """The other subgraphs as they were written, by type."""

    types: Mapping[str, list[tuple[SubgraphSchema, SubgraphType]]]
    facts: Mapping[str, SubgraphFacts]

    def of(self, schema: SubgraphSchema, type_name: str) -> list[tuple[SubgraphSchema, SubgraphType]]:
        return [(other, found) for other, found in self.types.get(type_name, ()) if other.name != schema.name]


def upgrade_subgraphs(schemas: Sequence[SubgraphSchema], report: Report) -> list[SubgraphSchema]:
    """All subgraphs as Federation 2; those that are already are returned as they are."""
    if all(schema.federation is not None for schema in schemas):
        return list(schemas)
    types: dict[str, list[tuple[SubgraphSchema, SubgraphType]]] = {}
    for schema in schemas:
        for definition in schema.types.values():
            types.setdefault(definition.name, []).append((schema, definition))
    neighbours = _Neighbours(types, {schema.name: gather_facts(schema) for schema in schemas})
    _refuse_interface_objects_of_old_interfaces(schemas, report)
    return [schema if schema.federation is not None else _upgrade(schema, neighbours, report) for schema in schemas]


def _upgrade(schema: SubgraphSchema, neighbours: _Neighbours, report: Report) -> SubgraphSchema:
    _check_bases(schema, neighbours, report)
    original = neighbours.facts[schema.name]
    upgraded = _with_string_field_sets(schema)
    upgraded = _without_external_on_interfaces_and_types(upgraded)
    upgraded = _without_external_on_extension_keys(upgraded, neighbours)
    upgraded = _without_inactive_field_sets(upgraded)
    upgraded = _without_extensions(upgraded)
    upgraded = _without_directives_on_interfaces(upgraded)
    upgraded = _without_provides_on_leaves(upgraded)
    upgraded = _without_unused_externals(upgraded, report)
    upgraded = _with_shareable(upgraded, original, neighbours)
    upgraded = _without_repeated_tags_on_externals(upgraded, neighbours)
    return replace(upgraded, federation=UPGRADED_TO)


def _refuse_interface_objects_of_old_interfaces(schemas: Sequence[SubgraphSchema], report: Report) -> None:
    keyed = {
        definition.name: schema
        for schema in schemas
        if schema.federation is None
        for definition in schema.composites(TypeKind.INTERFACE)
        if definition.has("key")
    }
    for schema in schemas:
        for definition in schema.types.values():
            if definition.is_interface_object and definition.name in keyed:
                old = keyed[definition.name]
                message = (
                    f'"{definition.name}" is an @interfaceObject, but its @key in "{old.name}" has no effect because '
                    "that subgraph is Federation 1: link federation v2.3 or newer there"
                )
                places = [(schema.name, definition.node), (old.name, old.types[definition.name].node)]
                report.error("INTERFACE_OBJECT_USAGE_ERROR", message, places)


# --- small tools: change parts of a schema -----------------------------------------------------------------------


def _map_types(schema: SubgraphSchema, change: Callable[[SubgraphType], SubgraphType]) -> SubgraphSchema:
    return replace(schema, types={name: change(definition) for name, definition in schema.types.items()})


def _map_fields(
    schema: SubgraphSchema, change: Callable[[SubgraphType, SubgraphField], SubgraphField]
) -> SubgraphSchema:
    return _map_types(
        schema, lambda t: replace(t, fields={name: change(t, f) for name, f in t.fields.items()}) if t.fields else t
    )


def _without(uses: Applications, *roles: str) -> Applications:
    return tuple(use for use in uses if use.role not in roles)


def _is_extension(definition: SubgraphType) -> bool:
    """Federation 1's sense of it: the type belongs to another subgraph."""
    if definition.kind not in (TypeKind.OBJECT, TypeKind.INTERFACE):
        return False
    return definition.has("extends") or (definition.is_extended and not definition.is_defined)


# --- the steps, in order ------------------------------------------------------------------------------------------


def _check_bases(schema: SubgraphSchema, neighbours: _Neighbours, report: Report) -> None:
    for definition in schema.types.values():
        if not _is_extension(definition) or schema.is_root(definition.name):
            continue
        if not any(other.is_defined for _, other in neighbours.of(schema, definition.name)):
            message = f'"{definition.name}" is extended here but no subgraph defines it'
            report.error("EXTENSION_WITH_NO_BASE", message, [(schema.name, definition.node)])


def _with_string_field_sets(schema: SubgraphSchema) -> SubgraphSchema:
    """Old documents wrote `fields: ["id", "name"]` and `fields: id`."""

    def change(use: DirectiveUse) -> DirectiveUse:
        value = use.arguments.get("fields")
        text: str | None = None
        if isinstance(value, ListValueNode) and all(isinstance(item, StringValueNode) for item in value.values or ()):
            text = " ".join(item.value for item in value.values or () if isinstance(item, StringValueNode))
        elif isinstance(value, EnumValueNode):
            text = value.value
        if text is None or use.role not in ("key", "requires", "provides"):
            return use
        return replace(use, arguments={**use.arguments, "fields": StringValueNode(value=text)})

    upgraded = _map_types(schema, lambda t: replace(t, uses=tuple(change(use) for use in t.uses)))
    return _map_fields(upgraded, lambda _, f: replace(f, uses=tuple(change(use) for use in f.uses)))


def _without_external_on_interfaces_and_types(schema: SubgraphSchema) -> SubgraphSchema:
    upgraded = _map_types(
        schema, lambda t: replace(t, uses=_without(t.uses, "external")) if t.kind is TypeKind.OBJECT else t
    )
    return _map_fields(
        upgraded, lambda t, f: replace(f, uses=_without(f.uses, "external")) if t.kind is TypeKind.INTERFACE else f
    )


def _without_external_on_extension_keys(schema: SubgraphSchema, neighbours: _Neighbours) -> SubgraphSchema:
    """An extension's key fields are known there, whatever they say: the gateway sends them."""
    known: set[str] = set()
    for definition in schema.types.values():
        if not (definition.is_composite and (_is_extension(definition) or _extends_root(schema, definition))):
            continue
        if definition.has("key"):
            for key in definition.using("key"):
                fields = named_fields(schema, definition, key.text("fields"), with_implementations=False)
                known |= {field.coordinate for field in fields if field.parent == definition.name}
            continue
        for other, found in neighbours.of(schema, definition.name):
            first = next(iter(found.using("key")), None)
            if first is not None:
                fields = named_fields(other, found, first.text("fields"), with_implementations=False)
                known |= {field.coordinate for field in fields if field.parent == found.name}
    return _map_fields(
        schema, lambda _, f: replace(f, uses=_without(f.uses, "external")) if f.coordinate in known else f
    )


def _extends_root(schema: SubgraphSchema, definition: SubgraphType) -> bool:
    return schema.is_root(definition.name) and _is_extension(definition)


def _without_inactive_field_sets(schema: SubgraphSchema) -> SubgraphSchema:
    """A subgraph that resolves a field itself neither requires nor provides it."""

    def change(definition: SubgraphType, field: SubgraphField) -> SubgraphField:
        uses = []
        for use in field.uses:
            target = definition if use.role == "requires" else schema.types.get(named_type(field.type))
            if use.role in ("requires", "provides") and target is not None:
                kept = _active_part(schema, target, use)
                if kept is not None:
                    uses.append(kept)
            else:
                uses.append(use)
        return replace(field, uses=tuple(uses))

    return _map_fields(schema, change)


def _active_part(schema: SubgraphSchema, target: SubgraphType, use: DirectiveUse) -> DirectiveUse | None:
    """The application without fields that are resolved here; itself where nothing is, or where it is not valid."""
    text = use.text("fields")
    try:
        selections = parse_field_set(text) if text is not None else None
        if selections is None or not target.is_composite:
            return use
        check_selections(schema, target, selections)
    except (FieldSetInvalid, FieldSetProblem):
        return use
    kept = _external_part(schema, target, selections)
    if kept is None:
        return None
    return replace(use, arguments={**use.arguments, "fields": StringValueNode(value=write_field_set(kept))})


def _external_part(schema: SubgraphSchema, parent: SubgraphType, node: SelectionSetNode) -> SelectionSetNode | None:
    kept: list[FieldNode | InlineFragmentNode] = []
    for selection in node.selections:
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            target = schema.types[condition.name.value] if condition else parent
            inner = _external_part(schema, target, selection.selection_set)
            if inner is not None:
                kept.append(InlineFragmentNode(type_condition=condition, directives=(), selection_set=inner))
        elif isinstance(selection, FieldNode) and selection.name.value in parent.fields:
            field = parent.fields[selection.name.value]
            if _is_external_somewhere(schema, parent, field):
                kept.append(selection)
            elif selection.selection_set is not None:
                nested = _external_part(schema, schema.types[named_type(field.type)], selection.selection_set)
                if nested is not None:
                    kept.append(FieldNode(name=selection.name, arguments=selection.arguments, selection_set=nested))
    return SelectionSetNode(selections=tuple(kept)) if kept else None


def _is_external_somewhere(schema: SubgraphSchema, parent: SubgraphType, field: SubgraphField) -> bool:
    if field.has("external") or parent.kind is not TypeKind.INTERFACE:
        return field.has("external")
    own = (schema.types[name].fields.get(field.name) for name in possible_objects(schema, parent))
    return any(implementation is not None and implementation.has("external") for implementation in own)


def _without_extensions(schema: SubgraphSchema) -> SubgraphSchema:
    def change(definition: SubgraphType) -> SubgraphType:
        if not _is_extension(definition):
            return definition
        uses = tuple(replace(use, extension=0) for use in _without(definition.uses, "extends"))
        fields = {name: replace(field, extension=0) for name, field in definition.fields.items()}
        return replace(definition, uses=uses, fields=fields, is_defined=True, is_extended=False)

    return _map_types(schema, change)


def _without_directives_on_interfaces(schema: SubgraphSchema) -> SubgraphSchema:
    upgraded = _map_types(
        schema, lambda t: replace(t, uses=_without(t.uses, "key")) if t.kind is TypeKind.INTERFACE else t
    )
    return _map_fields(
        upgraded,
        lambda t, f: replace(f, uses=_without(f.uses, "provides", "requires")) if t.kind is TypeKind.INTERFACE else f,
    )


def _without_provides_on_leaves(schema: SubgraphSchema) -> SubgraphSchema:
    def change(_: SubgraphType, field: SubgraphField) -> SubgraphField:
        target = schema.types.get(named_type(field.type))
        is_leaf = target is None or not target.is_composite
        return replace(field, uses=_without(field.uses, "provides")) if is_leaf else field

    return _map_fields(schema, change)


def _without_unused_externals(schema: SubgraphSchema, report: Report) -> SubgraphSchema:
    facts = gather_facts(schema)
    unused = {c for c in facts.external if c not in facts.used}
    if not unused:
        return schema
    types: dict[str, SubgraphType] = {}
    emptied: list[SubgraphType] = []
    for definition in schema.types.values():
        fields = {name: field for name, field in definition.fields.items() if field.coordinate not in unused}
        if definition.fields and not fields:
            emptied.append(definition)
        types[definition.name] = replace(definition, fields=fields)
    for definition in emptied:
        if _is_referenced(types, definition.name):
            message = f'all fields of "{definition.name}" are @external and none of them is used'
            report.error("TYPE_WITH_ONLY_UNUSED_EXTERNAL", message, [(schema.name, definition.node)])
        del types[definition.name]
    return replace(schema, types=types, roots={kind: root for kind, root in schema.roots.items() if root in types})


def _is_referenced(types: Mapping[str, SubgraphType], name: str) -> bool:
    return any(
        name in definition.members or any(named_type(field.type) == name for field in definition.fields.values())
        for definition in types.values()
    )


def _with_shareable(schema: SubgraphSchema, original: SubgraphFacts, neighbours: _Neighbours) -> SubgraphSchema:
    """In Federation 1 everything that two subgraphs resolve is shared."""

    def is_resolved_elsewhere(field: SubgraphField) -> bool:
        for other, found in neighbours.of(schema, field.parent):
            same = found.fields.get(field.name)
            if same is not None and not neighbours.facts[other.name].is_fully_external(same):
                return True
        return False

    def change(definition: SubgraphType) -> SubgraphType:
        if definition.kind is not TypeKind.OBJECT or schema.roots.get("subscription") == definition.name:
            return definition
        if not definition.has("key") and not schema.is_root(definition.name):
            if neighbours.of(schema, definition.name) and not definition.has("shareable"):
                # Like the directive on a type, this does not reach the fields of `extend` blocks.
                own = definition.fields.items()
                shared = {name: field if field.extension else _shared(field) for name, field in own}
                return replace(definition, fields=shared)
            return definition
        fields = {
            name: _shared(field)
            if field.coordinate not in original.shareable and is_resolved_elsewhere(field)
            else field
            for name, field in definition.fields.items()
        }
        return replace(definition, fields=fields)

    return _map_types(schema, change)


def _shared(field: SubgraphField) -> SubgraphField:
    if field.has("shareable"):
        return field
    return replace(field, uses=(*field.uses, DirectiveUse("shareable", "shareable", {}, None, field.extension)))


def _without_repeated_tags_on_externals(schema: SubgraphSchema, neighbours: _Neighbours) -> SubgraphSchema:
    def is_said_elsewhere(field: SubgraphField, tag: DirectiveUse) -> bool:
        wanted = _arguments_text(tag)
        for _, found in neighbours.of(schema, field.parent):
            same = found.fields.get(field.name)
            is_resolved = same is not None and not same.has("external")
            if same is not None and is_resolved and any(_arguments_text(use) == wanted for use in same.using("tag")):
                return True
        return False

    def change(_: SubgraphType, field: SubgraphField) -> SubgraphField:
        if not field.has("external"):
            return field
        uses = tuple(use for use in field.uses if use.role != "tag" or not is_said_elsewhere(field, use))
        return replace(field, uses=uses)

    return _map_fields(schema, change)


def _arguments_text(use: DirectiveUse) -> dict[str, str]:
    return {name: print_node(value) for name, value in use.arguments.items()}
