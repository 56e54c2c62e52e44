"""Answers that are the same for many requests, kept as the JSON that they become.

The problem: a catalogue's objects are the same for everybody, and yet each request reads each of their fields. The
idea: a type says that its objects live longer than a request and never change (`objects_are_shared = True`; what is
changed is another object), and a resolver says by `shared(…)` what its answer depends on besides its object and its
arguments. A place of a document that asks nothing else of an object has its answer kept, by the object's identity, what
its fields depend on, and the variables in their arguments. Of a place that asks other things, too, the rest is kept.

Invariants, held by tests/subgraphs/kernel/test_shared_answers.py: with and without keeping the bytes of an answer are
equal, whoever asks and whatever was replaced in between; an answer below which anything failed is never kept. An entry
holds its object, so that no other one can have its identity. Nothing writes to what is kept: a failure above replaces
it in its parent, and none can come from below, as there is nothing to be waited for.

Limits: whether somebody may see an object is decided before, where it is found, and not by its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import Any

from graphql import Undefined

from subgraphs.kernel.shared_objects import SharedObjects

__all__ = ["MAX_BYTES", "Dependency", "ShareKey", "SharedAnswers", "are_objects_shared", "dependencies_of", "shared"]

Dependency = Callable[[Any], Hashable]
"""What an answer depends on, read from a request's context; must not raise."""

MAX_BYTES = 128_000_000
"""Of all kept answers of a process: three times what 40,000 usual ones of titles have."""

_METADATA_KEY = "shared"
_CERTAIN = (bool, int, str, Enum, type(None), type(Undefined))
"""Of equal values of one of these classes no answer can differ; of equal floats it could, as of 0.0 and -0.0."""

_numbers = count()


def shared(*depends_on: Dependency) -> dict[str, Any]:
    """A field's metadata: its answer depends on its object, its arguments and these parts of the context alone."""
    return {_METADATA_KEY: depends_on}


def dependencies_of(metadata: Mapping[Any, Any]) -> tuple[Dependency, ...] | None:
    """What `shared` was told; None for a field without it."""
    return metadata.get(_METADATA_KEY)


def are_objects_shared(class_: type) -> bool:
    """Whether the class says that its objects live longer than a request and never change."""
    return getattr(class_, "objects_are_shared", False) is True


@dataclass(frozen=True, slots=True)
class ShareKey:
    """What the kept answers of one place of a document depend on besides the object; `number` is this place's alone."""

    number: int
    depends_on: tuple[Dependency, ...]
    variables: tuple[str, ...]

    @classmethod
    def of_new_place(cls, depends_on: Sequence[Dependency], variables: Sequence[str]) -> ShareKey:
        """With a number that no place had before, also of documents that are forgotten."""
        return cls(next(_numbers), tuple(depends_on), tuple(variables))

    def read(self, context: Any, variables: Mapping[str, Any]) -> tuple[Hashable, ...] | None:
        """This request's key; None where a variable is of a kind whose equal values may be told apart."""
        given = [variables.get(name, Undefined) for name in self.variables]
        if not all(isinstance(value, _CERTAIN) for value in given):
            return None
        # With their classes: 1 equals True.
        typed = ((value.__class__, value) for value in given)
        return (self.number, *(read(context) for read in self.depends_on), *typed)


class SharedAnswers:
    """The `most` answers that were asked for last; of one process, for all its requests.

    How long an answer is, clients decide: all together have no more than MAX_BYTES.
    """

    def __init__(self, most: int) -> None:
        self._kept = SharedObjects[tuple[object, Any, int]](
            most=most, most_weight=MAX_BYTES, weigh=lambda entry: entry[2]
        )

    def __len__(self) -> int:
        """Answers kept now."""
        return len(self._kept)

    def get(self, source: object, key: Hashable) -> Any:
        """What was kept of this very object; None for nothing."""
        found = self._kept.get((id(source), key))
        return None if found is None else found[1]

    def keep(self, source: object, key: Hashable, answer: Any, size: int) -> None:
        """`answer`, of about `size` bytes, is not changed from now on; the object is held with it."""
        self._kept.put((id(source), key), (source, answer, size))
