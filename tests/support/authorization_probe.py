"""Asks everything that the schema offers, as every kind of viewer and by every road, for the verdicts.

Operations are generated: for each root field and target one tree over all that is below it, written in several ways
and sent in several; for each entity of a subgraph the same below `_entities`, past the gateway.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, is_non_null_type, parse
from graphql import build_schema as build_from_sdl

from common.tokens import VIEWER_CONTEXT_LIFE, sign_viewer_context
from stack.authorization_table import Outcome, ViewerKind, entity_doors, expand, load_table
from subgraphs.kernel.export_sdl import export_sdl, load_schema
from tests.support.authorization_mutations import MutationTarget
from tests.support.authorization_targets import EntityTarget, Target, usual_argument
from tests.support.authorization_verdicts import Verdicts
from tests.support.households import Households
from tests.support.operation_tree import (
    Below,
    Fact,
    OperationTree,
    Writing,
    build_selection,
    build_tree,
    read_facts,
    read_selection_facts,
    write_operation,
    write_selection,
)
from tests.support.whole_graph import GraphAnswer, WholeGraph

__all__ = ["Probe", "Road"]

MUTATION_DEPTH = 2


class Road(StrEnum):
    """How an operation is written and sent."""

    DIRECT = "direct"
    ALIAS = "alias"
    FRAGMENT = "fragment"
    INTERFACE = "interface"
    CONCRETE = "concrete"
    GET = "get"
    HASH = "hash"

    @property
    def writing(self) -> Writing:
        """GET and hash send the direct text."""
        return Writing.DIRECT if self in {Road.GET, Road.HASH} else Writing(self.value)


class Probe:
    """The running graph, its table, and who asks."""

    def __init__(self, graph: WholeGraph, households: Households) -> None:
        self.graph = graph
        self.households = households
        self.api: GraphQLSchema = build_from_sdl(graph.artifacts["api.graphql"])
        self.doors = entity_doors(
            {
                name.removeprefix("subgraphs/").removesuffix(".graphql"): text
                for name, text in graph.artifacts.items()
                if name.startswith("subgraphs/")
            }
        )
        # Over the schema as the code has it, whatever is committed.
        table = expand(load_table(), self.api, self.doors)
        self.verdicts = Verdicts(table, households, graph.catalogue)

    def tree(self, target: Target) -> OperationTree:
        """The target's operation."""
        return build_tree(self.api, "query", target.field, list(target.arguments), usual_argument)

    async def send(self, road: Road, text: str, variables: Mapping[str, Any], kind: ViewerKind) -> GraphAnswer:
        """One operation."""
        send = {Road.GET: self.graph.ask_by_get, Road.HASH: self.graph.ask_by_hash}.get(road, self.graph.ask)
        return await send(text, variables, token=self.households.token(kind))

    async def look_at(self, target: Target, road: Road) -> None:
        """Ask one root field by one road as everybody."""
        tree = self.tree(target)
        # Where the root field can't be null, a second one that fails would take the first with it.
        has_second = target.missing is not None and not is_non_null_type(tree.root.definition.type)
        text = write_operation(tree, road.writing, second=has_second)
        variables = _variables(target, target.arguments, road, has_second=has_second)
        answers = {kind: await self.send(road, text, variables, kind) for kind in ViewerKind}
        facts = {kind: read_facts(tree, road.writing, answer.body.get("data")) for kind, answer in answers.items()}
        self.verdicts.judge(f"{target} by {road}", road.value, facts, answers, asked=str(variables))
        if target.missing is not None:
            missing = _variables(target, target.missing, road, has_second=has_second)
            await self._compare_with_missing(target, road, answers, text, missing)

    async def look_at_entity(self, target: EntityTarget) -> None:
        """Ask a subgraph for one entity as everybody, past the gateway."""
        below = _entity_selection(target.subgraph, target.type_name)
        answers = {kind: await self._send_entity(target, target.id, below, kind) for kind in ViewerKind}
        facts = {kind: _entity_facts(target, below, answer) for kind, answer in answers.items()}
        self.verdicts.judge(str(target), "entity", facts, answers, asked="")
        row = self.verdicts.table.entities[f"{target.subgraph}: {target.type_name}"]
        for kind in ViewerKind:
            self.verdicts.cells["entity door"] += 1
            cell = row.cells[kind]
            is_forbidden = cell.outcome is Outcome.FILTER and self.verdicts.is_forbidden(kind, target.id)
            if cell.outcome is not Outcome.DENY and not is_forbidden:
                continue
            missing = await self._send_entity(target, target.missing_id, below, kind)
            self.verdicts.compare(
                f"{target} as {kind}", answers[kind], {"id": target.id}, missing, {"id": target.missing_id}
            )

    async def try_mutation(self, target: MutationTarget, road: Road) -> None:
        """Send one mutation by one road as everybody, those first who must not."""
        row = self.verdicts.table.fields[f"Mutation.{target.field}"]
        kinds = sorted(ViewerKind, key=lambda kind: row.cells[kind].outcome is not Outcome.DENY)
        if road is not Road.DIRECT:
            # Who acts on their own things alone has been let in by the direct road; the others try every one.
            kinds = [kind for kind in kinds if row.cells[kind].outcome is not Outcome.OWN]
        for kind in kinds:
            arguments = await target.arguments(kind)
            # What lies deeper below an answer is what queries find there.
            tree = build_tree(
                self.api, "mutation", target.field, list(arguments), usual_argument, max_depth=MUTATION_DEPTH
            )
            text = write_operation(tree, road.writing)
            answer = await self.send(road, text, arguments, kind)
            facts = read_facts(tree, road.writing, answer.body.get("data"))
            place = f"{target.field} by {road} as {kind}"
            self.verdicts.judge_mutation(place, road.value, kind, tree.coordinate, answer, facts, arguments)
            if target.missing is not None and row.cells[kind].look.endswith("NotFound"):
                missing = await self.send(road, text, target.missing, kind)
                self.verdicts.compare(place, answer, arguments, missing, target.missing)

    async def _send_entity(self, target: EntityTarget, own_id: str, below: Below, kind: ViewerKind) -> GraphAnswer:
        text = f"query($of: [_Any!]!) {{ _entities(representations: $of) {write_selection(below)} }}"
        representation = {"__typename": target.type_name, "id": own_id, **target.required}
        viewer = self.households.viewer(kind)
        token = None
        if viewer.account_id is not None:
            age = VIEWER_CONTEXT_LIFE + timedelta(minutes=1) if kind is ViewerKind.EXPIRED else timedelta(0)
            token = sign_viewer_context(self.graph.viewer_key, viewer.to_claims(), datetime.now(UTC) - age)
        return await self.graph.ask_subgraph(target.subgraph, text, {"of": [representation]}, viewer_token=token)

    async def _compare_with_missing(
        self,
        target: Target,
        road: Road,
        answers: Mapping[ViewerKind, GraphAnswer],
        text: str,
        variables: Mapping[str, Any],
    ) -> None:
        """Who may not have it gets what they would get if it did not exist."""
        own_id = target.arguments["id"]
        for kind in ViewerKind:
            cell = self.verdicts.table.fields[f"Query.{target.field}"].cells[kind]
            is_forbidden = cell.outcome is Outcome.FILTER and self.verdicts.is_forbidden(kind, own_id)
            if cell.outcome is not Outcome.DENY and not is_forbidden:
                continue
            missing = await self.send(road, text, variables, kind)
            place = f"{target} by {road} as {kind}"
            self.verdicts.compare(place, answers[kind], [target.arguments, target.missing], missing, variables)


def _variables(target: Target, arguments: Mapping[str, Any], road: Road, *, has_second: bool) -> dict[str, Any]:
    variables = dict(arguments)
    if has_second and road is Road.ALIAS:
        assert target.missing is not None
        variables |= {f"second_{name}": value for name, value in target.missing.items()}
    return variables


@functools.cache
def _entity_selection(subgraph: str, type_name: str) -> Below:
    """All that the subgraph adds to an entity; without the id that the question holds already."""
    schema = load_schema(subgraph)
    below = build_selection(schema._schema, type_name, usual_argument)
    external, requiring = _others_fields(export_sdl(schema))
    _prune(below, external | {(name, "id") for name in below.by_type}, external | requiring)
    if isinstance(schema._schema.type_map[type_name], GraphQLObjectType):
        # `_entities` is a union: what is selected of an object stands under its name.
        below.declared = "_Entity"
    return below


def _others_fields(sdl: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(type, field) of what other subgraphs answer, and of what needs it."""
    found: dict[str, set[tuple[str, str]]] = {"external": set(), "requires": set()}
    for definition in parse(sdl).definitions:
        for each in getattr(definition, "fields", None) or ():
            for directive in each.directives or ():
                if directive.name.value in found:
                    found[directive.name.value].add((definition.name.value, each.name.value))  # type: ignore[attr-defined]
    return found["external"], found["requires"]


def _prune(below: Below, here: Collection[tuple[str, str]], deeper: Collection[tuple[str, str]]) -> None:
    """Leave fields out: `here` at this place, and `deeper` below it."""
    for type_name, fields in below.by_type.items():
        fields[:] = [asked for asked in fields if (type_name, asked.name) not in here]
        for asked in fields:
            if asked.below is not None:
                _prune(asked.below, deeper, deeper)


def _entity_facts(target: EntityTarget, below: Below, answer: GraphAnswer) -> list[Fact]:
    entity = ((answer.body.get("data") or {}).get("_entities") or [None])[0]
    return read_selection_facts(below, entity, holders=((target.type_name, target.id),))
