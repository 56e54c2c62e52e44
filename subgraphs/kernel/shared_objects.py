"""GraphQL objects that live longer than a request, so that what is answered of them can be kept by their identity."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["SharedObjects"]

ObjectT = TypeVar("ObjectT")


class SharedObjects(Generic[ObjectT]):
    """The `most` objects, two at least, that were asked for last; whether one is still right is for who gets it to see.

    In two generations instead of one order: what is asked for is in the younger one or moves there, and when that is
    full it becomes the older one, whose rest is forgotten. A hit writes nothing, and a home is some 200 of them.

    Where clients decide how large objects are, a number bounds nothing: with `weigh`, those that are held weigh no more
    than `most_weight` together, and one that weighs more than half of it is not held.
    """

    def __init__(self, *, most: int, most_weight: int = 0, weigh: Callable[[ObjectT], int] = lambda _: 0) -> None:
        self._most_young = max(1, most // 2)
        self._most_young_weight = most_weight // 2
        self._weigh = weigh
        self._young: dict[Hashable, ObjectT] = {}
        self._old: dict[Hashable, ObjectT] = {}
        self._young_weight = 0

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
        before = self._young.pop(key, None)
        if before is not None:
            self._young_weight -= self._weigh(before)
        weight = self._weigh(made)
        if weight > self._most_young_weight:
            return made
        if len(self._young) >= self._most_young or self._young_weight + weight > self._most_young_weight:
            self._old, self._young, self._young_weight = self._young, {}, 0
        self._young[key] = made
        self._young_weight += weight
        return made
