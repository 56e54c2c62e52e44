"""One type reference from many: outputs take the widest type, inputs the narrowest."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from gateway.composition.merge.state import EnumUse, MergeState
from gateway.composition.report import Place
from gateway.composition.subgraph_schema import TypeKind
from gateway.graphql_kit.type_refs import TypeRef, named_type, write_type_ref
from gateway.supergraph.model import SubgraphName

__all__ = ["Position", "merge_types"]


class Position(Enum):
    """Where a type stands; the value names the element in messages."""

    OUTPUT = "field"
    ARGUMENT = "argument"
    INPUT_FIELD = "input field"


def merge_types(
    state: MergeState,
    types: Mapping[SubgraphName, TypeRef],
    position: Position,
    coordinate: str,
    where: list[Place],
) -> TypeRef:
    """The supergraph's type of the element at `coordinate`; `types` is not empty."""
    merged: TypeRef | None = None
    has_subtypes = is_incompatible = False
    for found in types.values():
        if merged is None or merged == found:
            merged = found
        elif state.is_strict_subtype(merged, found):
            has_subtypes = True
            merged = merged if position is Position.OUTPUT else found
        elif state.is_strict_subtype(found, merged):
            has_subtypes = True
            merged = found if position is Position.OUTPUT else merged
        else:
            is_incompatible = True
    assert merged is not None  # types is not empty
    _note_enum_use(state, merged, position, coordinate)
    if is_incompatible or has_subtypes:
        said = ", ".join(f'{write_type_ref(found)} in "{subgraph}"' for subgraph, found in types.items())
        if is_incompatible:
            code = "FIELD_ARGUMENT_TYPE_MISMATCH" if position is Position.ARGUMENT else "FIELD_TYPE_MISMATCH"
            message = f'the {position.value} "{coordinate}" has types that do not fit together: {said}'
            state.report.error(code, message, where)
        else:
            suffix = "ARGUMENT_TYPE" if position is Position.ARGUMENT else "FIELD_TYPE"
            message = (
                f'the {position.value} "{coordinate}" has different types ({said}); {write_type_ref(merged)} is used'
            )
            state.report.hint(f"INCONSISTENT_BUT_COMPATIBLE_{suffix}", message, where)
    return merged


def _note_enum_use(state: MergeState, merged: TypeRef, position: Position, coordinate: str) -> None:
    name = named_type(merged)
    if state.kinds.get(name) is TypeKind.ENUM:
        use = state.enum_uses.setdefault(name, EnumUse())
        if position is Position.OUTPUT:
            use.as_output = use.as_output or coordinate
        else:
            use.as_input = use.as_input or coordinate
