"""Subgraph sets of any size, made by rule: composition, loading and planning can be measured without anyone's data.

`many_subgraphs` is what a large company's graph looks like: each team owns entities, extends those of others, shares
value types, and a few fields need others' fields. `many_plans` is a planner's worst case: hundreds of fields that
several of eight subgraphs offer, six levels deep, so that the ways to ask for them are beyond counting. Both depend on
their arguments alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["GeneratedSubgraph", "many_plans", "many_plans_query", "many_subgraphs", "many_subgraphs_query"]

_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: '
    '["@key", "@shareable", "@external", "@requires", "@provides", "@tag"])\n'
)
_SCALARS = ("String", "Int", "Boolean", "Float", "ID", "[String!]!", "Int!", "String!")
_ENTITIES_PER_SUBGRAPH = 3
_FIELDS_PER_ENTITY = 14
_TEAMS_PER_OWNER_FIELD = 10
"""Everything has an owner, and every tenth team knows something of owners; the others only refer to them."""
_PLAN_SUBGRAPHS = 8
_PLAN_LEVELS = 6
_PLAN_FIELDS = 60
_PLAN_FIELDS_ASKED = 40


@dataclass(frozen=True, slots=True)
class GeneratedSubgraph:
    """One subgraph's name and SDL."""

    name: str
    sdl: str


def many_subgraphs(count: int) -> list[GeneratedSubgraph]:
    """`count` subgraphs that compose: about 4 kB of supergraph SDL each."""
    rng = random.Random(count)
    return [GeneratedSubgraph(f"team{team:03}", _team_sdl(team, count, rng)) for team in range(count)]


def many_subgraphs_query(count: int) -> str:
    """A query over `many_subgraphs(count)` that crosses from the last team to the teams before it."""
    last = count - 1
    return f"{{ team{last}Items(first: 3) {{ id name owner {{ id label }} }} team0Item0(id: 1) {{ id name }} }}"


def _team_sdl(team: int, count: int, rng: random.Random) -> str:
    parts = [_LINK, _MONEY, _PAGE, _VISIBILITY]
    for number in range(_ENTITIES_PER_SUBGRAPH):
        fields = [f"  f{n}: {rng.choice(_SCALARS)}" for n in range(_FIELDS_PER_ENTITY)]
        fields.append("  price: Money")
        fields.append("  visibility: Visibility")
        parts.append(
            f'"""Item {number} of team {team}."""\n'
            f'type Item{team}x{number} implements Named @key(fields: "id") {{\n'
            f"  id: ID!\n  name: String!\n  weight: Int\n  owner: Owner\n" + "\n".join(fields) + "\n}\n"
        )
    parts.append(f"union Result{team} = " + " | ".join(f"Item{team}x{n}" for n in range(_ENTITIES_PER_SUBGRAPH)) + "\n")
    parts.append("interface Named {\n  id: ID!\n}\n")
    if team == 0:
        parts.append('type Owner @key(fields: "id") {\n  id: ID!\n  label: String!\n  country: String\n}\n')
    elif team % _TEAMS_PER_OWNER_FIELD == 0:
        parts.append(f'type Owner @key(fields: "id") {{\n  id: ID!\n  ratingBy{team}: Int\n}}\n')
    else:
        parts.append('type Owner @key(fields: "id", resolvable: false) {\n  id: ID!\n}\n')
    # Extensions of other teams' entities, with a field that needs one of the owner's.
    parts.extend(
        f'type Item{other}x0 @key(fields: "id") {{\n  id: ID!\n  weight: Int @external\n'
        f'  costBy{team}: Int @requires(fields: "weight")\n  notesBy{team}(first: Int = 10): [String!]\n}}\n'
        for other in sorted({rng.randrange(count) for _ in range(2)} - {team})
    )
    parts.append(
        f"input Filter{team} {{\n  text: String\n  minimum: Int = 0\n  visibility: Visibility = PUBLIC\n}}\n"
        f"type Query {{\n  team{team}Items(first: Int = 10, filter: Filter{team}): [Item{team}x0!]!\n"
        f"  team{team}Search(text: String!): [Result{team}!]!\n"
        + "".join(f"  team{team}Item{n}(id: ID!): Item{team}x{n}\n" for n in range(_ENTITIES_PER_SUBGRAPH))
        + "}\n"
        f"type Mutation {{\n  team{team}Rename(id: ID!, name: String!): Item{team}x0\n}}\n"
    )
    return "\n".join(parts)


_MONEY = "type Money @shareable {\n  amount: Int!\n  currency: String!\n}\n"
_PAGE = "type PageInfo @shareable {\n  hasNextPage: Boolean!\n  endCursor: String\n}\n"
_VISIBILITY = "enum Visibility {\n  PUBLIC\n  PRIVATE\n  INTERNAL\n}\n"


def many_plans() -> list[GeneratedSubgraph]:
    """Eight subgraphs; on each of six levels an entity with sixty fields, each offered by two to five of them."""
    rng = random.Random(8)
    offered: dict[int, list[str]] = {number: [] for number in range(_PLAN_SUBGRAPHS)}
    for level in range(_PLAN_LEVELS):
        fields: dict[int, list[str]] = {number: ["  id: ID!"] for number in range(_PLAN_SUBGRAPHS)}
        names = [f"f{n}: Int" for n in range(_PLAN_FIELDS)]
        if level + 1 < _PLAN_LEVELS:
            names += [f"left: Level{level + 1}", f"right: Level{level + 1}"]
        for name in names:
            for number in rng.sample(range(_PLAN_SUBGRAPHS), rng.randint(2, 5)):
                fields[number].append(f"  {name} @shareable")
        for number, lines in fields.items():
            offered[number].append(f'type Level{level} @key(fields: "id") {{\n' + "\n".join(lines) + "\n}\n")
    return [
        GeneratedSubgraph(
            f"s{number}",
            "\n".join([_LINK, *types, *(["type Query {\n  top: Level0 @shareable\n}\n"] if number < 3 else [])]),
        )
        for number, types in offered.items()
    ]


def many_plans_query() -> str:
    """Forty of the sixty fields at every place, two ways down from the first three levels, then one: 31 places."""
    rng = random.Random(6)

    def selection(level: int) -> str:
        asked = sorted(rng.sample(range(_PLAN_FIELDS), _PLAN_FIELDS_ASKED))
        parts = [f"f{n}" for n in asked]
        if level + 1 < _PLAN_LEVELS:
            parts += [f"{way} {selection(level + 1)}" for way in (("left", "right") if level < 3 else ("left",))]
        return "{ " + " ".join(parts) + " }"

    return f"query ManyPlans {{ top {selection(0)} }}"
