"""Fields of objects and interfaces: one field with a record of what each subgraph says of it."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.composition.merge.access_control import inherited_protection
from gateway.composition.merge.applications import merge_applications
from gateway.composition.merge.arguments import merge_arguments
from gateway.composition.merge.context_arguments import filled_arguments
from gateway.composition.merge.descriptions import merge_descriptions
from gateway.composition.merge.externals import check_externals, without_externals
from gateway.composition.merge.overrides import Overrides, find_overrides
from gateway.composition.merge.state import MergeState, Sources, places, present
from gateway.composition.merge.types import Position, merge_types
from gateway.composition.subgraph_schema import SubgraphField, SubgraphType
from gateway.graphql_kit.field_set_text import FieldSetInvalid, canonical_field_set
from gateway.graphql_kit.type_refs import TypeRef
from gateway.supergraph.model import Field, FieldJoin, Override, SubgraphName

__all__ = ["field_sources", "merge_field"]


def field_sources(
    state: MergeState, definitions: Mapping[SubgraphName, SubgraphType], interfaces: tuple[str, ...]
) -> dict[str, dict[SubgraphName, SubgraphField | None]]:
    """Field name → its sources: every subgraph with the type, or with an interface object of one of its interfaces."""
    abstracting = {subgraph for i in interfaces for subgraph in state.interface_objects.get(i, ())}
    concerned = [name for name in state.subgraphs if name in definitions or name in abstracting]
    names = dict.fromkeys(field for definition in definitions.values() for field in definition.fields)
    return {
        name: {
            subgraph: definitions[subgraph].fields.get(name) if subgraph in definitions else None
            for subgraph in concerned
        }
        for name in names
    }


def merge_field(
    state: MergeState, type_name: str, field_name: str, sources: Sources[SubgraphField]
) -> tuple[Field | None, Overrides]:
    """The supergraph's field, None where nobody resolves it; what overrides it goes along for the sharing rule."""
    coordinate = f"{type_name}.{field_name}"
    overrides = find_overrides(state, sources, type_name, field_name)
    if _is_external_everywhere(state, sources, type_name, field_name):
        declaring = ", ".join(f'"{subgraph}"' for subgraph in present(sources))
        message = f'"{coordinate}" is @external in every subgraph that declares it ({declaring}): nobody resolves it'
        state.report.error("EXTERNAL_MISSING_ON_BASE", message, places(sources))
        return None, overrides
    resolving = without_externals(state, sources)
    # A field that only an interface object resolves still has a type from its external declarations.
    typed = present(resolving) or present(sources)
    types: dict[SubgraphName, TypeRef] = {subgraph: field.type for subgraph, field in typed.items()}
    merged_type = merge_types(state, types, Position.OUTPUT, coordinate, places(sources))
    arguments = merge_arguments(state, resolving, coordinate)
    types_are_equal = len(set(types.values())) == 1
    check_externals(state, sources, coordinate, merged_type, arguments, types_are_equal=types_are_equal)
    field = Field(
        name=field_name,
        type=merged_type,
        arguments=arguments,
        joins=_joins(state, sources, overrides),
        description=merge_descriptions(state, resolving, f'the field "{coordinate}"'),
        directives=merge_applications(state, resolving, coordinate, inherited_protection(state, type_name, field_name)),
    )
    return field, overrides


def _is_external_everywhere(
    state: MergeState, sources: Sources[SubgraphField], type_name: str, field_name: str
) -> bool:
    for subgraph, source in sources.items():
        own = state.abstracting_fields(type_name, field_name, subgraph) if source is None else [source]
        if not all(state.is_external(subgraph, field) for field in own):
            return False
    return True


def _joins(state: MergeState, sources: Sources[SubgraphField], overrides: Overrides) -> dict[SubgraphName, FieldJoin]:
    joins: dict[SubgraphName, FieldJoin] = {}
    for subgraph, source in present(sources).items():
        label = overrides.labels.get(subgraph)
        if subgraph in overrides.unused and label is None:
            continue
        is_overridden = subgraph in overrides.used
        use = next(iter(source.using("override")), None)
        origin = SubgraphName(use.text("from") or "") if use is not None else SubgraphName("")
        joins[subgraph] = FieldJoin(
            subgraph=subgraph,
            type=source.type,
            external=state.is_external(subgraph, source) or (is_overridden and label is None),
            requires=_field_set(source, "requires"),
            provides=_field_set(source, "provides"),
            # An override of a subgraph that is not there has nothing to take over.
            override=Override(origin, label) if origin in state.subgraphs else None,
            used_overridden=is_overridden,
            context_arguments=filled_arguments(state, subgraph, source),
        )
    return joins


def _field_set(field: SubgraphField, role: str) -> str | None:
    use = next(iter(field.using(role)), None)
    text = use.text("fields") if use is not None else None
    try:
        return canonical_field_set(text) if text else None
    except FieldSetInvalid:  # reported by the rules already
        return None
