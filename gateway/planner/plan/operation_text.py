"""Drafted selections as operation text: fields are hoisted to the abstract type where all its members ask the same.

Two fields of different types under one response key must have the same shape in one operation; where they do not,
all but the first get an internal alias and an output rewrite gives them their key back.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.errors import PlanningFailed
from gateway.graphql_kit.field_sets import variables_in_value
from gateway.graphql_kit.paths import EVERY_ITEM, FlattenPath, KeyElement
from gateway.graphql_kit.selections import Condition
from gateway.graphql_kit.type_refs import named_type
from gateway.planner.fetch_graph.model import DraftField, DraftSelection, list_depth, wrappers
from gateway.planner.fetch_graph.source_keys import SourceKeys
from gateway.planner.plan.nodes import OutputRewrite
from gateway.query_graph.model import GraphNode, NodeKind, QueryGraph

__all__ = ["OperationWriter"]

_NO_CONDITIONS: frozenset[Condition] = frozenset()


class OperationWriter:
    """Writes the selections of one step; `variables` collects the client variables in order of appearance."""

    def __init__(self, graph: QueryGraph, keys: SourceKeys, step_condition: frozenset[Condition]) -> None:
        self.graph = graph
        self.keys = keys
        self.step_condition = step_condition
        self.variables: dict[str, None] = {}

    def settle_keys(self, selections: list[DraftSelection], path: FlattenPath = ()) -> list[OutputRewrite]:
        """Give every field the key that it has in the text; rewrites innermost first."""
        groups: dict[str, dict[tuple[object, ...], list[DraftField]]] = {}
        for selection in selections:
            kind = self.graph.nodes[selection.node].kind
            for _, field in selection.all_fields():
                signature = self._signature(field, kind)
                groups.setdefault(field.key, {}).setdefault(signature, []).append(field)
        rewrites: list[OutputRewrite] = []
        renamed: list[OutputRewrite] = []
        for key, by_signature in groups.items():
            for number, fields in enumerate(by_signature.values()):
                emitted = key if number == 0 else self.keys.fresh()
                if emitted != key:
                    renamed.append(OutputRewrite(path, emitted, key))
                for field in fields:
                    field.emitted_key = emitted
                children = [field.child for field in fields if field.child is not None]
                if children:
                    lists = (EVERY_ITEM for _ in range(list_depth(fields[0].type)))
                    rewrites += self.settle_keys(children, (*path, KeyElement(emitted), *lists))
        return rewrites + renamed

    def _signature(self, field: DraftField, kind: NodeKind) -> tuple[object, ...]:
        shape = (wrappers(field.type), "" if field.child is not None else named_type(field.type))
        return (*shape, field.name, field.arguments) if kind is NodeKind.INTERFACE_OBJECT else shape

    def root_text(self, selection: DraftSelection) -> str:
        """The selection set of a root step."""
        return "{" + " ".join(self._fields(selection, self.step_condition)) + "}"

    def entity_text(self, selections: Iterable[DraftSelection], enforced: frozenset[Condition]) -> str:
        """The selection set of an `_entities` field; `enforced` holds for every object there is."""
        parts: list[str] = []
        for selection in selections:
            node = self.graph.nodes[selection.node]
            parts.append(
                f"...on {node.type_name}{{{' '.join(self._fields(selection, self.step_condition | enforced))}}}"
            )
        return "{" + " ".join(parts) + "}"

    def _fields(self, selection: DraftSelection, known: frozenset[Condition]) -> list[str]:
        node = self.graph.nodes[selection.node]
        parts = ["__typename"] if selection.wants_typename else []
        if node.is_abstract and any(name in node.members for name in selection.fields):
            parts += self._abstract_fields(node, selection, known)
        else:
            parts += self._plain_fields(selection, known)
        if not parts:
            # an interface object's own `__typename` is the interface's name: it must not land under that key
            hides_type = node.kind is NodeKind.INTERFACE_OBJECT
            parts.append(f"{self.keys.fresh()}: __typename" if hides_type else "__typename")
        return parts

    def _plain_fields(self, selection: DraftSelection, known: frozenset[Condition]) -> list[str]:
        by_key: dict[str, DraftField] = {}
        for _, field in selection.all_fields():
            have = by_key.get(field.emitted_key)
            if have is None:
                by_key[field.emitted_key] = field
                continue
            if (have.name, have.arguments) != (field.name, field.arguments):
                raise PlanningFailed(
                    f"'{field.key}' means different fields of types that one interface object stands for; "
                    "give them different aliases"
                )
            if have is not field:
                have.ask(field.conditions or _NO_CONDITIONS)
                if have.child is not None and field.child is not None:
                    have.child.absorb(field.child)
        return [self._field(field, known) for field in by_key.values()]

    def _abstract_fields(self, node: GraphNode, selection: DraftSelection, known: frozenset[Condition]) -> list[str]:
        texts: dict[str, dict[str, tuple[DraftField, str]]] = {}
        for type_name, by_key in selection.fields.items():
            texts[type_name] = {field.emitted_key: (field, self._field(field, known)) for field in by_key.values()}
        general = texts.pop(node.type_name, {})
        members = [name for name in node.members if name not in self.graph.hidden_types]
        shared = self._shared_by_all(node, members, texts)
        parts = [text for _, text in general.values()] + list(shared.values())
        for type_name in node.members:
            rest = [text for key, (_, text) in texts.get(type_name, {}).items() if key not in shared]
            if rest:
                parts.append(f"...on {type_name}{{{' '.join(rest)}}}")
        return parts

    def _shared_by_all(
        self, node: GraphNode, members: list[str], texts: dict[str, dict[str, tuple[DraftField, str]]]
    ) -> dict[str, str]:
        """The fields that can be asked of the abstract type itself, by key."""
        if not members or any(name not in texts for name in members):
            return {}
        shared: dict[str, str] = {}
        for key, (field, text) in texts[members[0]].items():
            move = node.fields.get(field.name)
            if move is None or move.requires:
                continue
            alike = all(
                key in texts[name]
                and texts[name][key][1] == text
                and named_type(texts[name][key][0].type) == named_type(move.type)
                for name in members + [name for name in texts if name not in members and key in texts[name]]
            )
            if alike:
                shared[key] = text
        return shared

    def _field(self, field: DraftField, known: frozenset[Condition]) -> str:
        text = field.name if field.emitted_key == field.name else f"{field.emitted_key}: {field.name}"
        if field.arguments:
            text += "(" + ", ".join(f"{name}: {value}" for name, value in field.arguments) + ")"
            for _, value in field.arguments:
                self.variables.update(dict.fromkeys(variables_in_value(value)))
        around: list[Condition] = []
        on_field: dict[bool, Condition] = {}
        for condition in sorted((field.conditions or _NO_CONDITIONS) - known):
            self.variables[condition.variable] = None
            if on_field.setdefault(condition.negated, condition) is condition:
                text += f" {condition}"
            else:
                around.append(condition)
        if field.child is not None:
            text += "{" + " ".join(self._fields(field.child, known | (field.conditions or _NO_CONDITIONS))) + "}"
        for condition in around:  # a directive stands at most once at one place
            text = f"...{condition}{{{text}}}"
        return text
