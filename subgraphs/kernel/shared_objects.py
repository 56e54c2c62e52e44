"""GraphQL objects that live longer than a request, so that what is answered of them can be kept by their identity."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["SharedObjects"]

ObjectT = TypeVar("ObjectT")


class SharedObjects(Generic[ObjectT]):
    """The `most` objects that were asked for last. Whoever gets one sees whether it is still made of what is there."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._objects: OrderedDict[Hashable, ObjectT] = OrderedDict()

    def get(self, key: Hashable) -> ObjectT | None:
        """What was put under the key last, unless it was forgotten."""
        found = self._objects.get(key)
        if found is not None:
            self._objects.move_to_end(key)
        return found

    def put(self, key: Hashable, made: ObjectT) -> ObjectT:
        """Instead of what the key had; returns it."""
        self._objects[key] = made
        if len(self._objects) > self._most:
            self._objects.popitem(last=False)
        return made
