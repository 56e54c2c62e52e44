"""Loaders of one request: keys asked one by one in the same turn of the event loop are fetched together, once each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar, cast

from aiodataloader import DataLoader

__all__ = ["MAX_KEYS_PER_FETCH", "Loaders"]

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")

MAX_KEYS_PER_FETCH = 500
"""Keys in one store query: below SQLite's limit of 999 variables in old builds."""


class Loaders:
    """The request's loaders, made when first asked for. Make one per request: what is loaded stays until its end."""

    def __init__(self) -> None:
        self._by_fetch: dict[Hashable, DataLoader[Any, Any]] = {}

    def by_key(
        self,
        fetch: Callable[[Sequence[KeyT]], Awaitable[Mapping[KeyT, ValueT]]],
        *,
        max_keys: int = MAX_KEYS_PER_FETCH,
    ) -> DataLoader[KeyT, ValueT | None]:
        """The loader over `fetch`, the same one for the same function; a key that `fetch` leaves out is None.

        `fetch` must be hashable by what it does: a function or a bound method, not a lambda made at each call.
        """
        loader = self._by_fetch.get(fetch)
        if loader is None:

            async def load(keys: list[KeyT]) -> list[ValueT | None]:
                values = await fetch(keys)
                return [values.get(key) for key in keys]

            loader = DataLoader(load, max_batch_size=max_keys)
            self._by_fetch[fetch] = loader
        return cast("DataLoader[KeyT, ValueT | None]", loader)

    def clear(self) -> None:
        """Forget everything loaded, as before a write whose result is read afterwards."""
        self._by_fetch.clear()
