"""Random valid operations on any schema: aliases that collide across types, conditions, arguments, variables."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from graphql import GraphQLSchema, get_named_type, is_abstract_type, is_leaf_type

__all__ = ["RandomOperation", "operation_text"]


class RandomOperation:
    """A random operation on an API schema, with variables for its conditions and arguments."""

    def __init__(self, rng: random.Random, schema: GraphQLSchema, depth: int = 4) -> None:
        self.rng = rng
        self.schema = schema
        self.aliases = 0
        self.variables: dict[str, Any] = {}
        assert schema.query_type is not None
        body = self._selections(schema.query_type, depth)
        self.text = operation_text(body, self.variables)

    def _selections(self, type_: Any, depth: int) -> str:
        parts = list(self._fields(type_, depth))
        if is_abstract_type(type_):
            if self.rng.random() < 0.4:
                parts.append("__typename")
            parts += [
                f"... on {possible.name}{self._condition(0.1)} {self._selections(possible, depth)}"
                for possible in self.schema.get_possible_types(type_)
                if self.rng.random() < 0.6
            ]
            parts += [
                f"... on {other.name} {self._selections(other, depth - 1)}"
                for other in self._overlapping(type_)
                if depth > 0 and self.rng.random() < 0.3
            ]
        elif self.rng.random() < 0.1:
            parts.append("__typename")
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def _overlapping(self, type_: Any) -> list[Any]:
        """Other abstract types that share a member with one."""
        possible = set(self.schema.get_possible_types(type_))
        return [
            other
            for other in self.schema.type_map.values()
            if other is not type_ and is_abstract_type(other) and possible & set(self.schema.get_possible_types(other))
        ]

    def _fields(self, type_: Any, depth: int) -> Iterator[str]:
        for name, definition in getattr(type_, "fields", {}).items():
            if self.rng.random() > 0.6:
                continue
            target = get_named_type(definition.type)
            head = name
            if self.rng.random() < 0.25:
                self.aliases += 1
                # few names: the same alias means different things in different branches
                head = f"{self.rng.choice([f'x_{kind_of(definition.type)}', f'c{self.aliases}'])}: {name}"
            if definition.args and self.rng.random() < 0.7:
                head += f"(x: {self._integer()})"
            head += self._condition(0.15)
            if is_leaf_type(target):
                yield head
            elif depth > 0:
                yield f"{head} {self._selections(target, depth - 1)}"

    def _integer(self) -> str:
        if self.rng.random() < 0.3:
            name = f"n{len(self.variables)}"
            self.variables[name] = self.rng.randint(0, 9)
            return f"${name}"
        return str(self.rng.randint(0, 3))

    def _condition(self, chance: float) -> str:
        if self.rng.random() > chance:
            return ""
        if self.variables and self.rng.random() < 0.5:
            known = [name for name, value in self.variables.items() if isinstance(value, bool)]
            if known:
                return f" @{self.rng.choice(['skip', 'include'])}(if: ${self.rng.choice(known)})"
        name = f"v{len(self.variables)}"
        self.variables[name] = self.rng.random() < 0.6
        return f" @{self.rng.choice(['skip', 'include'])}(if: ${name})"


def operation_text(selections: str, variables: dict[str, Any]) -> str:
    """A query with definitions for its variables, which are flags or whole numbers."""
    definitions = ", ".join(
        f"${name}: {'Boolean!' if isinstance(value, bool) else 'Int'}" for name, value in variables.items()
    )
    return f"query Q{f'({definitions})' if definitions else ''} {selections}"


def kind_of(type_: Any) -> str:
    """A name that equal-shaped fields share, so that aliases collide across types but stay valid."""
    return "".join(c if c.isalnum() else "_" for c in str(type_))
