"""Random operations over the API schema, fed with what a curious child could send: real ids, names, prefixes, cursors.

Whatever an object has of words, ids and addresses is always asked for, so that an answer hides nothing by not having
been asked.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)

from tests.support.authorization_targets import DEVICE, usual_argument

__all__ = ["Question", "QuestionMaker", "Words"]

TELLING = frozenset({"id", "displayName", "url", "text", "heading", "altText", "synopsis", "tracking", "titleId"})
DEEPEST = 5
MOST_OBJECTS = 60
"""Places in one question where objects are asked for."""


@dataclass(frozen=True)
class Question:
    """An operation with its variables."""

    text: str
    variables: Mapping[str, Any]
    is_mutation: bool


@dataclass
class Words:
    """What arguments are made of."""

    title_ids: Sequence[str]
    names: Sequence[str]
    genre_ids: Sequence[str]
    person_ids: Sequence[str]
    season_words: Sequence[str] = ()
    section_ids: list[str] = field(default_factory=list)
    page_cursors: list[str] = field(default_factory=list)
    session_ids: list[str] = field(default_factory=list)


class QuestionMaker:
    """The same questions for the same seed."""

    def __init__(self, schema: GraphQLSchema, words: Words, seed: int) -> None:
        self._schema = schema
        self._words = words
        self._draw = random.Random(seed)
        self._left = MOST_OBJECTS

    def question(self) -> Question:
        """The next one; one in eight tries to do something to a title."""
        self._left = MOST_OBJECTS
        if self._draw.random() < 1 / 8:
            return self._act()
        query = self._schema.query_type
        assert query is not None
        names = [name for name in query.fields if name not in {"auditLog", "catalogueEntry", "erasureCertificate"}]
        parts, variables, declared = [], {}, []
        for number in range(self._draw.choice([1, 1, 2, 3])):
            name = self._draw.choice(names)
            root = query.fields[name]
            given = self._root_arguments(name, root)
            for argument, value in given.items():
                variables[f"v{number}_{argument}"] = value
                declared.append(f"$v{number}_{argument}: {root.args[argument].type}")
            written = ", ".join(f"{argument}: $v{number}_{argument}" for argument in given)
            arguments = f"({written})" if written else ""
            parts.append(f"r{number}: {name}{arguments} {self._below(root, 1)}")
        header = f"({', '.join(declared)})" if declared else ""
        return Question(f"query Curious{header} {{ {' '.join(parts)} }}", variables, is_mutation=False)

    def _act(self) -> Question:
        mutation = self._schema.mutation_type
        assert mutation is not None
        title_id = self._draw.choice(self._words.title_ids)
        name, arguments = self._draw.choice(
            [
                ("addToMyList", {"titleId": title_id}),
                ("rateTitle", {"titleId": title_id, "stars": 3}),
                ("setThumb", {"titleId": title_id, "thumb": "UP"}),
                ("saveOnboardingPicks", {"titleIds": [title_id]}),
                ("startPlayback", {"input": {"titleId": title_id, "device": {"id": "toy", "formFactor": "TV"}}}),
            ]
        )
        root = mutation.fields[name]
        declared = ", ".join(f"${argument}: {root.args[argument].type}" for argument in arguments)
        written = ", ".join(f"{argument}: ${argument}" for argument in arguments)
        text = f"mutation Curious({declared}) {{ {name}({written}) {self._below(root, 2)} }}"
        return Question(text, arguments, is_mutation=True)

    def _root_arguments(self, name: str, root: GraphQLField) -> dict[str, Any]:
        draw, words = self._draw, self._words
        title_id, text = draw.choice(words.title_ids), draw.choice(words.names)
        some_ids = draw.sample(list(words.title_ids), k=min(20, len(words.title_ids)))
        by_field: dict[str, dict[str, Any]] = {
            "title": {"id": title_id},
            "titlesByIds": {"ids": some_ids},
            "titles": {"first": 50, "filter": draw.choice([None, {"kind": "EPISODE"}, {"kind": "VIDEO"}])},
            "genre": {"id": draw.choice(words.genre_ids)},
            "person": {"id": draw.choice(words.person_ids)},
            "search": {"query": draw.choice([text, text[:5], text.split()[0]]), "first": 50},
            "searchSuggestions": {"query": text[: draw.randint(1, 8)], "first": 10},
            "page": {
                "kind": draw.choice(["HOME", "MOVIES", "SERIES", "KIDS", "GENRE"]),
                "device": DEVICE,
                "genreId": draw.choice(words.genre_ids),
            },
            "section": {"id": draw.choice(words.section_ids or ["none.none"])},
            "playbackSession": {"id": draw.choice(words.session_ids or ["pbs_none"])},
            "comingSoon": {"days": 30, "first": 50},
            "planChange": {"plan": "BASIC"},
        }
        given = by_field.get(name, {})
        missing = [each for each, argument in root.args.items() if is_required_argument(argument) and each not in given]
        if missing:
            raise LookupError(f"no words for the required arguments {missing} of Query.{name}")
        return {argument: value for argument, value in given.items() if argument in root.args}

    def _below(self, asked: GraphQLField, depth: int) -> str:
        """Selections below a field: what tells something always, the rest by chance, less the deeper it is."""
        named = get_named_type(asked.type)
        if is_leaf_type(named):
            return ""
        possible = self._schema.get_possible_types(named) if is_abstract_type(named) else [named]
        parts = ["__typename"]
        for each in possible:
            assert isinstance(each, GraphQLObjectType)
            inner = []
            for name, definition in each.fields.items():
                is_leaf = is_leaf_type(get_named_type(definition.type))
                is_frame = name in {"edges", "node"}
                chance = 1.0 if is_frame or (is_leaf and name in TELLING) else 0.3 if is_leaf else 1.4 / (depth + 1)
                is_deep = depth >= DEEPEST or self._left <= 0
                if (is_deep and not is_leaf and not is_frame) or self._draw.random() >= chance:
                    continue
                self._left -= not is_leaf
                key = f"{name}_{each.name}" if len(possible) > 1 else name
                alias = "" if key == name else f"{key}: "
                deeper = depth if is_frame else depth + 1
                inner.append(
                    f"{alias}{name}{self._arguments(each.name, name, definition)} {self._below(definition, deeper)}"
                )
            if inner:
                parts.append(f"... on {each.name} {{ {' '.join(inner)} }}")
        return "{ " + " ".join(parts) + " }"

    def _arguments(self, type_name: str, name: str, definition: GraphQLField) -> str:
        written = []
        for argument_name, argument in definition.args.items():
            literal = usual_argument(f"{type_name}.{name}", argument_name)
            if argument_name == "first":
                literal = str(self._draw.choice([1, 3, 5]))
            elif literal is None and argument_name == "after" and type_name == "Page" and self._words.page_cursors:
                literal = f'"{self._draw.choice(self._words.page_cursors)}"' if self._draw.random() < 0.3 else None
            if literal is None and is_required_argument(argument):
                raise LookupError(f"no words for the required argument {type_name}.{name}({argument_name}:)")
            if literal is not None:
                written.append(f"{argument_name}: {literal}")
        return f"({', '.join(written)})" if written else ""
