"""Under which key of the response tree a field of a representation is found.

The client owns the response keys: a required field takes its plain name only where the client does not use that key for
something else; otherwise it gets an internal alias, the same one for the same field at the same response path.
"""

from __future__ import annotations

from gateway.graphql_kit.selections import FieldSelection, InlineFragment, SelectionSet

__all__ = ["SourceKeys"]

_Meaning = tuple[str, tuple[tuple[str, str], ...]]
_Keys = tuple[str, ...]


class SourceKeys:
    """Keys in use by response path; made from the client's selections before any requirement is placed."""

    def __init__(self, selections: SelectionSet) -> None:
        self._used: dict[_Keys, dict[str, set[_Meaning]]] = {}
        self._internal: dict[tuple[_Keys, _Meaning], str] = {}
        self._taken: set[str] = set()
        self._register(selections, ())

    def _register(self, selections: SelectionSet, path: _Keys) -> None:
        for item in selections:
            if isinstance(item, InlineFragment):
                self._register(item.selections, path)
                continue
            key = item.response_key
            self._taken.add(key)
            self._used.setdefault(path, {}).setdefault(key, set()).add((item.name, item.arguments))
            self._register(item.selections, (*path, key))

    def key_for(self, path: _Keys, field: FieldSelection) -> str:
        """The key for a required field of objects at a response path."""
        meaning = (field.name, field.arguments)
        known = self._internal.get((path, meaning))
        if known is not None:
            return known
        used = self._used.setdefault(path, {})
        if used.setdefault(field.name, {meaning}) == {meaning}:
            return field.name
        alias = self.fresh()
        self._internal[path, meaning] = alias
        used[alias] = {meaning}
        return alias

    def fresh(self) -> str:
        """An alias that nobody uses."""
        number = 0
        while f"_m_{number}" in self._taken:
            number += 1
        alias = f"_m_{number}"
        self._taken.add(alias)
        return alias
