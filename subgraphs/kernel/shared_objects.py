"""GraphQL objects that live longer than a request, so that what is answered of them can be kept by their identity."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["SharedObjects"]

ObjectT = TypeVar("ObjectT")


class SharedObjects(Generic[ObjectT]):
    """The `most` objects, two at least, that were asked for last; whether one is still right is for who gets it to see.

    In two generations instead of one order: what is asked for is in the younger one or moves there, and when that is
    full it becomes the older one, whose rest is forgotten. A hit writes nothing, and a home is some 200 of them.
    """

    def __init__(self, *, most: int) -> None:
        self._most_young = max(1, most // 2)
        self._young: dict[Hashable, ObjectT] = {}
        self._old: dict[Hashable, ObjectT] = {}

    def __len__(self) -> int:
        """Objects held now."""
        return len(self._young) + len(self._old)

    def get(self, key: Hashable) -> ObjectT | None:
        """What was put under the key last, unless it was forgotten."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: Hashable, made: ObjectT) -> ObjectT:
        """Instead of what the key had; returns it."""
        self._old.pop(key, None)
        if len(self._young) >= self._most_young and key not in self._young:
            self._old, self._young = self._young, {}
        self._young[key] = made
        return made
