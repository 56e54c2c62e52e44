"""Random federations: a schema with data, split into subgraphs by the rules of federation.

One world of objects answers everything: a single server resolves the API schema from it, and each subgraph resolves
its own SDL from it, so that both must agree. What only federation can get wrong is made visible: an entity is found
by the representation's key fields alone, and a field with a requirement answers from what the representation says,
not from the world.
"""

from __future__ import annotations

import functools
import json
import random
from dataclasses import asdict, dataclass, field
from typing import Any

from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    graphql_sync,
)

from gateway.composition.compose import compose
from gateway.composition.stages import Composed, SubgraphSource
from gateway.executor.transport.base import SubgraphAnswer, SubgraphRequest
from gateway.supergraph.model import Supergraph

_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable", '
    '"@external", "@requires", "@provides", "@interfaceObject", "@override"])\n'
)

Object = dict[str, Any]

_KEYS = [["id"]] * 6 + [["id", "sku"]] * 3 + [["tag { code }", "id"], ["sku"], ["id sku"], ["id sku", "id"]]
"""What keys a subgraph may give an entity; mostly such that subgraphs can be reached from each other."""


_INTERFACE_OBJECT_FIELDS = [("score", "label: String", "rank"), ("votes", "score: Int", "mood")]
"""For each interface object its own field, what it needs from elsewhere, and what it computes from that."""


@dataclass
class FieldPlan:
    """A field of the world: its type, who resolves it, and for requirements what it is computed from."""

    name: str
    type: str
    owners: list[str]
    argument: bool = False
    requires: str | None = None
    provides: str | None = None
    overrides: str | None = None
    """The subgraph that declares the field, too, but must no longer be asked for it."""
    label: str | None = None
    """With an override: it holds only where this label is on."""


@dataclass
class TypePlan:
    """A type of the world. `keys`: for each subgraph that has the type, its keys."""

    name: str
    fields: dict[str, FieldPlan] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    interfaces: list[str] = field(default_factory=list)


class RandomFederation:
    """Made from a source of randomness; equal randomness gives equal federations."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.subgraphs = [f"s{i}" for i in range(rng.choice([2, 2, 2, 3, 3, 3, 4, 4, 5, 6]))]
        self.entities = [TypePlan(f"E{i}") for i in range(rng.randint(2, 4))]
        self.values = [TypePlan(f"V{i}") for i in range(rng.randint(0, 2))]
        self.interface = "I" if len(self.entities) > 1 and rng.random() < 0.6 else None
        self.union = "U" if len(self.entities) > 1 and rng.random() < 0.5 else None
        self.interface_home: list[str] = []
        self.interface_objects: list[str] = []
        self._plan_types()
        self.labels = frozenset(
            f.label for e in self.entities for f in e.fields.values() if f.label and rng.random() < 0.5
        )
        self.roots = self._plan_roots()
        self.objects = self._make_objects()
        self.root_values = {plan.name: self._value(plan.type) for plan in self.roots}

    # --- kept cases -----------------------------------------------------------------------------------------

    def to_plain(self) -> dict[str, Any]:
        """All of it as JSON: what `from_plain` makes the same federation of, whatever becomes of the generator."""
        references = {each["id"] for objects in self.objects.values() for each in objects}

        def plain(value: Any) -> Any:
            if isinstance(value, list):
                return [plain(item) for item in value]
            return {"$": value["id"]} if isinstance(value, dict) and value.get("id") in references else value

        return {
            "subgraphs": self.subgraphs,
            "entities": [asdict(each) for each in self.entities],
            "values": [asdict(each) for each in self.values],
            "interface": self.interface,
            "union": self.union,
            "interface_home": self.interface_home,
            "interface_objects": self.interface_objects,
            "labels": sorted(self.labels),
            "roots": [asdict(each) for each in self.roots],
            "objects": {
                name: [{key: plain(value) for key, value in each.items()} for each in objects]
                for name, objects in self.objects.items()
            },
            "root_values": {name: plain(value) for name, value in self.root_values.items()},
        }

    @classmethod
    def from_plain(cls, kept: dict[str, Any]) -> RandomFederation:
        """The federation that `to_plain` wrote down."""
        world = cls.__new__(cls)
        world.rng = random.Random(0)
        world.subgraphs = kept["subgraphs"]
        world.entities = [_type_plan(each) for each in kept["entities"]]
        world.values = [_type_plan(each) for each in kept["values"]]
        world.interface, world.union = kept["interface"], kept["union"]
        world.interface_home, world.interface_objects = kept["interface_home"], kept["interface_objects"]
        world.labels = frozenset(kept["labels"])
        world.roots = [FieldPlan(**each) for each in kept["roots"]]
        world.objects = {name: [{} for _ in objects] for name, objects in kept["objects"].items()}
        by_id = {
            told["id"]: made
            for name, objects in kept["objects"].items()
            for told, made in zip(objects, world.objects[name], strict=True)
        }

        def whole(value: Any) -> Any:
            if isinstance(value, list):
                return [whole(item) for item in value]
            return by_id[value["$"]] if isinstance(value, dict) and "$" in value else value

        for name, objects in kept["objects"].items():
            for told, made in zip(objects, world.objects[name], strict=True):
                made.update({key: whole(value) for key, value in told.items()})
        world.root_values = {name: whole(value) for name, value in kept["root_values"].items()}
        return world

    # --- schema ---------------------------------------------------------------------------------------------

    def _some(self, least: int = 1) -> list[str]:
        return sorted(self.rng.sample(self.subgraphs, self.rng.randint(least, len(self.subgraphs))))

    def _plan_types(self) -> None:
        rng = self.rng
        for value in self.values:
            for i in range(rng.randint(1, 3)):
                value.fields[f"v{i}"] = FieldPlan(
                    f"v{i}", rng.choice(["Int", "String"]), self._some() if i else self.subgraphs
                )
        if self.interface:
            self.interface_home = self._some()
            others = [s for s in self.subgraphs if s not in self.interface_home]
            if others and rng.random() < 0.7:
                self.interface_objects = sorted(rng.sample(others, rng.randint(1, min(2, len(others)))))
        for entity in self.entities:
            homes = self._some()
            if self.interface and rng.random() < 0.8:
                entity.interfaces.append(self.interface)
                homes = sorted({*homes, *self.interface_home})
            if entity.interfaces:
                homes = [s for s in homes if s not in self.interface_objects] or self.interface_home
            for subgraph in homes:
                entity.keys[subgraph] = rng.choice(_KEYS)
            self._plan_fields(entity, homes)
        if self.interface and not any(e.interfaces for e in self.entities):
            self.entities[0].interfaces.append(self.interface)
            for subgraph in self.interface_home:
                self.entities[0].keys.setdefault(subgraph, ["id"])
            self.interface_objects = [s for s in self.interface_objects if s not in self.entities[0].keys]
        for entity in self.entities:
            if entity.interfaces:
                for subgraph in self.interface_home:
                    entity.keys[subgraph] = ["id", *[k for k in entity.keys[subgraph] if k != "id"]]
        self._plan_provides()

    def _plan_fields(self, entity: TypePlan, homes: list[str]) -> None:
        rng = self.rng
        for i in range(rng.randint(1, 4)):
            owners = sorted(rng.sample(homes, rng.randint(1, len(homes))))
            entity.fields[f"f{i}"] = FieldPlan(
                f"f{i}", rng.choice(["Int", "String!", "String"]), owners, rng.random() < 0.3
            )
        for i in range(rng.randint(0, 3)):
            owners = [rng.choice(homes)]
            plan = entity.fields[f"r{i}"] = FieldPlan(f"r{i}", self._wrap(self._target(owners[0])), owners)
            others = [s for s in homes if s not in owners and s not in self.interface_objects]
            if (
                others
                and plan.type.strip("[]!") in {"V0", "V1", *(e.name for e in self.entities)}
                and rng.random() < 0.4
            ):
                plan.owners.append(rng.choice(others))
        plain = [f for f in entity.fields.values() if f.type in {"Int", "String", "String!"} and not f.argument]
        with_argument = [f for f in entity.fields.values() if f.type in {"Int", "String", "String!"} and f.argument]
        for i in range(rng.randint(0, 2)):
            pool = with_argument if with_argument and rng.random() < 0.4 else plain
            needed = rng.choice(pool) if pool else None
            able = [s for s in homes if needed and s not in needed.owners]
            if needed and able:
                owner = rng.choice(able)
                entity.fields[f"q{i}"] = FieldPlan(
                    f"q{i}",
                    "String",
                    [owner],
                    requires=needed.name + (f"(x:{rng.randint(0, 2)})" if needed.argument else ""),
                )
        references = [f for f in entity.fields.values() if f.type.strip("[]!") in {e.name for e in self.entities}]
        if references and rng.random() < 0.4:
            needed = rng.choice(references)
            able = [s for s in homes if s not in needed.owners]
            if able:
                entity.fields["qr"] = FieldPlan("qr", "String", [rng.choice(able)], requires=f"{needed.name} {{ id }}")
        needed_names = {required_field(f.requires) for f in entity.fields.values() if f.requires}
        for plan in list(entity.fields.values()):
            if (
                len(plan.owners) == 1
                and plan.name not in needed_names
                and plan.requires is None
                and plan.type in {"Int", "String"}
                and rng.random() < 0.2
            ):
                others = [s for s in homes if s not in plan.owners]
                if others:
                    plan.overrides = rng.choice(others)
                    plan.label = f"{entity.name}-{plan.name}" if rng.random() < 0.4 else None

    def _plan_provides(self) -> None:
        """Some references also give a leaf of the entity that another subgraph owns."""
        for entity in self.entities:
            for plan in entity.fields.values():
                if len(plan.owners) > 1 or self.rng.random() > 0.5:
                    continue
                (owner,) = plan.owners
                target = self._provided_entity(plan, owner)
                if target is None:
                    continue
                given = [
                    f.name
                    for f in target.fields.values()
                    if owner in target.keys
                    and f.type in {"Int", "String", "String!"}
                    and not f.argument
                    and f.requires is None
                    and owner not in f.owners
                    and f.overrides is None
                ]
                if given:
                    name = self.rng.choice(given)
                    is_direct = target.name == plan.type.strip("[]!")
                    plan.provides = name if is_direct else f"... on {target.name} {{ {name} }}"

    def _provided_entity(self, plan: FieldPlan, owner: str) -> TypePlan | None:
        """The entity of which a field may provide a leaf: its own type, or a member of its interface or union."""
        target = plan.type.strip("[]!")
        members = [
            e
            for e in self.entities
            if target == e.name
            or target == self.union
            or (target == self.interface and e.interfaces and owner in self.interface_home)
        ]
        return self.rng.choice(members) if members else None

    def _target(self, subgraph: str) -> str:
        """Something that the subgraph may lead to: where the interface is an object, its implementations are unknown."""
        if subgraph in self.interface_objects and self.interface:
            return self.rng.choice([self.interface, *(v.name for v in self.values)])
        names = [e.name for e in self.entities] * 2 + [v.name for v in self.values]
        if self.interface and subgraph in self.interface_home:
            names += [self.interface] * 2
        return self.rng.choice(names + ([self.union] if self.union else []))

    def _wrap(self, name: str) -> str:
        return self.rng.choice([name, f"{name}!", f"[{name}]", f"[{name}!]!", f"[[{name}]]"])

    def _plan_roots(self) -> list[FieldPlan]:
        roots = []
        for i in range(self.rng.randint(2, 4)):
            owner = self.rng.choice(self.subgraphs)
            roots.append(FieldPlan(f"q{i}", self._wrap(self._target(owner)), [owner]))
        roots += [FieldPlan(f"io_{name}", f"[{self.interface}]", [name]) for name in self.interface_objects]
        return roots

    def sdl(self, subgraph: str) -> str:
        """What one subgraph declares."""
        query = [f"  {r.name}: {r.type}" for r in self.roots if subgraph in r.owners]
        query.append(f"  ping_{subgraph}: Int")
        parts = ["type Query {\n" + "\n".join(query) + "\n}", "type Tag @shareable { code: String }"]
        for value in self.values:
            body = "\n".join(f"  {f.name}: {f.type}" for f in value.fields.values() if subgraph in f.owners)
            parts.append(f"type {value.name} @shareable {{\n{body}\n}}")
        known = [self._entity_sdl(entity, subgraph) for entity in self.entities]
        parts += [text for text in known if text]
        if self.interface:
            if subgraph in self.interface_objects:
                own, needed, computed = _INTERFACE_OBJECT_FIELDS[self.interface_objects.index(subgraph)]
                parts.append(
                    f'type {self.interface} @interfaceObject @key(fields: "id") {{ id: ID! {own}: Int '
                    f'{needed} @external {computed}: String @requires(fields: "{needed.split(":")[0]}") }}'
                )
            elif subgraph in self.interface_home:
                parts.append(f'interface {self.interface} @key(fields: "id") {{ id: ID! label: String }}')
        if self.union and subgraph not in self.interface_objects:
            parts.append(f"union {self.union} = {' | '.join(e.name for e in self.entities)}")
        return "\n".join(parts)

    def _entity_sdl(self, entity: TypePlan, subgraph: str) -> str:
        if subgraph not in entity.keys:
            if not self._mentions(subgraph, entity.name):
                return ""
            return f'type {entity.name} @key(fields: "id", resolvable: false) {{ id: ID! }}'
        keys = " ".join(f'@key(fields: "{key}")' for key in entity.keys[subgraph])
        text = "".join(entity.keys[subgraph])
        lines = ["  id: ID! @shareable"]
        if "sku" in text:
            lines.append("  sku: ID! @shareable")
        if "tag" in text:
            lines.append("  tag: Tag! @shareable")
        implements = ""
        if entity.interfaces and subgraph in self.interface_home:
            implements = f" implements {self.interface}"
            lines.append("  label: String @shareable")
        external: set[str] = set()
        for plan in entity.fields.values():
            argument = "(x: Int)" if plan.argument else ""
            if subgraph == plan.overrides:
                lines.append(f"  {plan.name}{argument}: {plan.type}")
            if subgraph not in plan.owners:
                continue
            directives = " @shareable" if len(plan.owners) > 1 or self._is_provided(entity, plan) else ""
            if plan.requires:
                directives += f' @requires(fields: "{plan.requires}")'
                external.add(required_field(plan.requires))
            if plan.provides:
                directives += f' @provides(fields: "{plan.provides}")'
            if plan.overrides:
                label = f', label: "{plan.label}"' if plan.label else ""
                directives += f' @override(from: "{plan.overrides}"{label})'
            lines.append(f"  {plan.name}{argument}: {plan.type}{directives}")
        for other in self.entities:
            for plan in other.fields.values():
                provided = provided_leaf(plan)
                if provided and subgraph in plan.owners and provided[0] == entity.name:
                    external.add(provided[1])
        lines += [
            f"  {name}{'(x: Int)' if entity.fields[name].argument else ''}: {entity.fields[name].type} @external"
            for name in sorted(external)
            if entity.fields[name].overrides != subgraph
        ]
        return f"type {entity.name}{implements} {keys} {{\n" + "\n".join(lines) + "\n}"

    def _is_provided(self, entity: TypePlan, plan: FieldPlan) -> bool:
        return any(
            provided_leaf(other) == (entity.name, plan.name) for e in self.entities for other in e.fields.values()
        )

    def _mentions(self, subgraph: str, name: str) -> bool:
        """Whether the subgraph must declare an entity because a field or the union leads to it."""
        if self.union and subgraph not in self.interface_objects:
            return True
        plans = [*self.roots, *(f for e in self.entities for f in e.fields.values())]
        if any(subgraph in p.owners and p.type.strip("[]!") == name for p in plans):
            return True
        return any(
            subgraph in p.owners
            and p.requires
            and p.requires.endswith("}")
            and e.fields[required_field(p.requires)].type.strip("[]!") == name
            for e in self.entities
            for p in e.fields.values()
        )

    # --- data -----------------------------------------------------------------------------------------------

    def _make_objects(self) -> dict[str, list[Object]]:
        objects: dict[str, list[Object]] = {}
        for entity in self.entities:
            objects[entity.name] = [
                {
                    "__typename": entity.name,
                    "id": f"{entity.name}-{i}",
                    "sku": f"sku-{entity.name}-{i}",
                    "tag": {"__typename": "Tag", "code": f"code-{entity.name}-{i}"},
                    "label": f"label {entity.name} {i}",
                    "score": i * 10 + len(entity.name),
                    "rank": f"rank of label {entity.name} {i}",
                    "votes": i + 100,
                    "mood": f"mood of {i * 10 + len(entity.name)}",
                }
                for i in range(self.rng.randint(1, 3))
            ]
        self.objects = objects
        for entity in self.entities:
            for made in objects[entity.name]:
                for plan in entity.fields.values():
                    if plan.requires is None:
                        made[plan.name] = self._value(plan.type)
                for plan in entity.fields.values():
                    if plan.requires is not None:
                        name = required_field(plan.requires)
                        told = {name: with_arguments(made[name], _arguments(plan.requires))}
                        made[plan.name] = f"{plan.name} of {required(told, plan.requires)}"
        return objects

    def _value(self, type_text: str) -> Any:
        rng = self.rng
        if not type_text.endswith("!") and rng.random() < 0.15:
            return None
        text = type_text.rstrip("!") if not type_text.endswith("]!") else type_text[:-1]
        if text.startswith("["):
            return [self._value(text[1:-1]) for _ in range(rng.randint(0, 3))]
        if text == "Int":
            return rng.randint(0, 99)
        if text == "String":
            return f"text {rng.randint(0, 99)}"
        for value in self.values:
            if value.name == text:
                return {"__typename": text, **{f.name: self._value(f.type) for f in value.fields.values()}}
        names = [text]
        if text == self.interface:
            names = [e.name for e in self.entities if e.interfaces]
        elif text == self.union:
            names = [e.name for e in self.entities]
        return rng.choice(self.objects[rng.choice(names)])

    # --- servers --------------------------------------------------------------------------------------------

    def compose(self) -> Supergraph | list[str]:
        """Our composition of the subgraphs, or its diagnostics."""
        result = compose([SubgraphSource(name, _LINK + self.sdl(name), "") for name in self.subgraphs])
        return result.supergraph if isinstance(result, Composed) else [str(d) for d in result.diagnostics]

    def answer(
        self, schema: GraphQLSchema, query: str, variables: dict[str, Any], subgraph: str | None = None
    ) -> dict[str, Any]:
        """What a server over the world says: a subgraph, or the one that holds everything."""

        def resolve(source: Any, info: Any, **arguments: Any) -> Any:
            name = info.field_name
            if name == "_entities":
                return [self._entity(each) for each in arguments["representations"]]
            if info.parent_type.name == "Query":
                return self.root_values.get(name, 1)
            if "__sent" in source and (computed := self._from_representation(source, name)) is not None:
                return computed
            if self.was_overridden(subgraph, info.parent_type.name, name):
                return None
            value = source[name]
            return with_arguments(value, arguments)

        def resolve_type(value: Any, _info: Any, _abstract: Any) -> str:
            return str(value["__typename"])

        result = graphql_sync(
            schema, query, variable_values=variables, field_resolver=resolve, type_resolver=resolve_type
        )
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        return answer

    def was_overridden(self, subgraph: str | None, type_name: str, name: str) -> bool:
        """Whether a subgraph is asked for what another took over: it has no value any more."""
        for entity in self.entities:
            plan = entity.fields.get(name)
            if entity.name == type_name and plan is not None and plan.overrides is not None:
                is_in_force = plan.label is None or plan.label in self.labels
                return subgraph == (plan.overrides if is_in_force else plan.owners[0])
        return False

    def _from_representation(self, source: Object, name: str) -> str | None:
        sent = source["__sent"]
        for _, needed, computed in _INTERFACE_OBJECT_FIELDS:
            if name == computed:
                return f"{name} of {sent.get(needed.split(':')[0], 'MISSING')}"
        for entity in self.entities:
            plan = entity.fields.get(name)
            if entity.name == source["__typename"] and plan is not None and plan.requires is not None:
                return f"{name} of {required(sent, plan.requires)}"
        return None

    def _entity(self, representation: dict[str, Any]) -> Object | None:
        names = [representation["__typename"]]
        if names == [self.interface]:
            names = [e.name for e in self.entities if e.interfaces]
        keys = {k: v for k, v in representation.items() if k in {"id", "sku"}}
        if "tag" in representation:
            keys["tag"] = {"__typename": "Tag", **representation["tag"]}
        for name in names:
            for made in self.objects[name]:
                if keys and all(made[k] == v for k, v in keys.items()):
                    return {**made, "__sent": representation}
        return None

    def transport(self) -> InProcess:
        """All subgraphs, asked without a network."""
        return InProcess(self)

    @functools.cached_property
    def executables(self) -> dict[str, GraphQLSchema]:
        """By subgraph's name, for all operations on this federation."""
        return {name: self.executable(name) for name in self.subgraphs}

    def executable(self, subgraph: str) -> GraphQLSchema:
        """A subgraph's schema with `_entities`."""
        text = self.sdl(subgraph)
        names = [e.name for e in self.entities if f"type {e.name} " in text]
        if subgraph in self.interface_objects and self.interface:
            names.append(self.interface)
        text += "\nscalar _Any\n"
        if names:
            text += f"union _Entity = {' | '.join(names)}\n"
            text += "extend type Query { _entities(representations: [_Any!]!): [_Entity]! }\n"
        return build_schema(text, assume_valid=True, assume_valid_sdl=True)


class InProcess:
    """A transport that executes requests on the spot and keeps them for inspection."""

    def __init__(self, world: RandomFederation) -> None:
        self.world = world
        self.schemas = world.executables
        self.requests: list[tuple[str, dict[str, Any], dict[str, Any]]] = []

    async def send(self, request: SubgraphRequest) -> SubgraphAnswer:
        body = json.loads(request.body)
        schema = self.schemas[request.subgraph_name]
        world = self.world
        if request.subgraph_name in world.interface_objects:
            answer = _as_interface_object(world, schema, body)
        else:
            answer = world.answer(schema, body["query"], body.get("variables") or {}, request.subgraph_name)
        self.requests.append((request.subgraph_name, body, answer))
        return SubgraphAnswer(200, json.dumps(answer).encode())

    async def aclose(self) -> None:
        return None


def _as_interface_object(world: RandomFederation, schema: GraphQLSchema, body: dict[str, Any]) -> dict[str, Any]:
    """Where concrete types are unknown, objects of the interface are all of one object type."""
    interface = schema.get_type(world.interface or "")
    hidden = {e.name for e in world.entities if e.interfaces} if isinstance(interface, GraphQLObjectType) else set()

    class Renamed(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            value = super().__getitem__(key)
            return interface.name if key == "__typename" and value in hidden and interface else value

    def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        name = info.field_name
        if name == "_entities":
            pairs = [(world._entity(sent), sent["__typename"]) for sent in arguments["representations"]]
            return [Renamed(made) if made and name == world.interface else made for made, name in pairs]
        if info.parent_type.name == "Query":
            return world.root_values.get(name, 1)
        if "__sent" in source and (computed := world._from_representation(dict(source), name)) is not None:
            return computed
        value = source[name]
        return with_arguments(value, arguments)

    result = graphql_sync(
        schema,
        body["query"],
        variable_values=body.get("variables") or {},
        field_resolver=resolve,
        type_resolver=lambda value, _info, _abstract: str(value["__typename"]),
    )
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    return answer


def _type_plan(kept: dict[str, Any]) -> TypePlan:
    return TypePlan(**{**kept, "fields": {name: FieldPlan(**each) for name, each in kept["fields"].items()}})


def provided_leaf(plan: FieldPlan) -> tuple[str, str] | None:
    """The entity and the leaf of it that a field provides."""
    if plan.provides is None:
        return None
    if plan.provides.startswith("..."):
        _, _, entity, _, leaf, _ = plan.provides.split()
        return entity, leaf
    return plan.type.strip("[]!"), plan.provides


def required_field(requirement: str) -> str:
    """The field that a requirement names."""
    return requirement.split(" ", maxsplit=1)[0].split("(", maxsplit=1)[0]


def _arguments(requirement: str) -> dict[str, int]:
    _, _, given = requirement.partition("(x:")
    return {"x": int(given.removesuffix(")"))} if given else {}


def required(source: Object, requirement: str) -> str:
    """What a requirement's fields hold in an object or a representation; nested objects by their ids."""
    name = required_field(requirement)
    if name not in source:
        return "MISSING"

    def ids(value: Any) -> Any:
        if isinstance(value, list):
            return [ids(item) for item in value]
        return value.get("id", "MISSING") if isinstance(value, dict) else value

    return str(ids(source[name]))


def with_arguments(value: Any, arguments: dict[str, Any]) -> Any:
    """A value that shows what arguments it was asked with."""
    if value is None or not arguments:
        return value
    return value + (arguments.get("x") or 0) if isinstance(value, int) else f"{value} x={arguments}"
