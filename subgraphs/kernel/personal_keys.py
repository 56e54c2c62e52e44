"""Personal data in Valkey or Redis, by a declaration per key prefix: the owner's id is in the key or in the value."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.errors import ErrorKind, ServiceError
from subgraphs.kernel.personal_data import (
    MAX_RECORDS_PER_PLACE,
    CountsByPlace,
    Owner,
    RecordsByPlace,
    Subject,
    too_many_records,
)

__all__ = ["OWNER_MARK", "PersonalKeys", "ValkeyPersonalData"]

SCAN_COUNT = 1_000
OWNER_MARK = "<owner>"
"""In a pattern: the owner's id."""


@dataclass(frozen=True, slots=True)
class PersonalKeys:
    """Keys of one form. `pattern` is a glob in which OWNER_MARK stands for the owner's id.

    A pattern without the mark (Owner.MENTIONED) names keys whose *values* hold an id somewhere; all of them are read.
    `hidden` members of JSON values are left out of exports.
    """

    pattern: str
    owner: Owner
    is_exported: bool = True
    hidden: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Raises ValueError when pattern and owner do not fit."""
        if (OWNER_MARK in self.pattern) == (self.owner is Owner.MENTIONED):
            raise ValueError(f"{self.pattern!r}: {OWNER_MARK} stands for an account's or a profile's id, for no other")

    @property
    def prefix(self) -> str:
        """What all these keys begin with."""
        return self.pattern.split(OWNER_MARK, maxsplit=1)[0].split("*", maxsplit=1)[0].rstrip("{")

    @property
    def place(self) -> str:
        """As in the registry."""
        return f"keys:{self.prefix}"


class ValkeyPersonalData:
    """A PersonalDataStore over some key prefixes."""

    def __init__(self, redis: Redis, keys: Sequence[PersonalKeys]) -> None:
        self._redis: Any = redis
        self._keys = tuple(keys)

    async def export_personal(self, subject: Subject) -> RecordsByPlace:
        """See PersonalDataStore: `{"key", "value"}` records."""
        records: dict[str, list[Mapping[str, object]]] = {}
        with _translated_errors():
            for each in self._keys:
                if not each.is_exported:
                    continue
                found = records.setdefault(each.place, [])
                async for key in self._found(each, subject):
                    found.append(
                        {"key": key.decode(errors="replace"), "value": _shown(await self._value(key), each.hidden)}
                    )
                    if len(found) > MAX_RECORDS_PER_PLACE:
                        raise too_many_records(each.place)
        return records

    async def erase_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        counts: dict[str, int] = {}
        with _translated_errors():
            for each in self._keys:
                erased = 0
                async for key in self._found(each, subject):
                    erased += await self._redis.delete(key)
                counts[each.place] = counts.get(each.place, 0) + erased
        return counts

    async def count_personal(self, subject: Subject) -> CountsByPlace:
        """See PersonalDataStore."""
        counts: dict[str, int] = {}
        with _translated_errors():
            for each in self._keys:
                counts.setdefault(each.place, 0)
                async for _ in self._found(each, subject):
                    counts[each.place] += 1
        return counts

    async def scrub(self) -> None:
        """Memory keeps nothing of a deleted key."""

    async def _found(self, keys: PersonalKeys, subject: Subject) -> AsyncIterator[bytes]:
        """The subject's keys, each once."""
        seen: set[bytes] = set()
        if keys.owner is Owner.MENTIONED:
            wanted = [each.encode() for each in subject.ids]
            async for key in self._scan(keys.pattern):
                if key not in seen and _mentions(await self._raw(key), wanted):
                    seen.add(key)
                    yield key
            return
        for owner_id in subject.owned_by(keys.owner):
            pattern = keys.pattern.replace(OWNER_MARK, _glob_literal(owner_id))
            async for key in self._scan(pattern):
                if key not in seen:
                    seen.add(key)
                    yield key

    async def _scan(self, pattern: str) -> AsyncIterator[bytes]:
        if not set(pattern) & set("*?["):
            if await self._redis.exists(pattern):
                yield pattern.encode()
            return
        async for key in self._redis.scan_iter(match=pattern, count=SCAN_COUNT):
            yield key if isinstance(key, bytes) else str(key).encode()

    async def _raw(self, key: bytes) -> object:
        kind = await self._redis.type(key)
        match kind.decode() if isinstance(kind, bytes) else kind:
            case "string":
                return await self._redis.get(key)
            case "hash":
                return await self._redis.hgetall(key)
            case "list":
                return await self._redis.lrange(key, 0, -1)
            case "set":
                return sorted(await self._redis.smembers(key))
            case "zset":
                return await self._redis.zrange(key, 0, -1, withscores=True)
            case "stream":
                return await self._redis.xrange(key)
            case _:
                return None

    async def _value(self, key: bytes) -> object:
        return _readable(await self._raw(key))


def _shown(value: object, hidden: frozenset[str]) -> object:
    if not isinstance(value, Mapping):
        return value
    return {name: part for name, part in value.items() if name not in hidden}


def _mentions(value: object, wanted: Sequence[bytes]) -> bool:
    if isinstance(value, bytes):
        return any(each in value for each in wanted)
    if isinstance(value, Mapping):
        return any(_mentions(part, wanted) for item in value.items() for part in item)
    if isinstance(value, list | tuple):
        return any(_mentions(part, wanted) for part in value)
    return False


def _readable(value: object) -> object:
    """JSON inside is shown as JSON, everything else as text."""
    if isinstance(value, bytes):
        try:
            return json.loads(value)
        except ValueError:
            return value.decode(errors="replace")
    if isinstance(value, Mapping):
        return {str(_text(key)): _readable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(part) for part in value]
    return value


def _text(value: object) -> object:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _glob_literal(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise ServiceError(ErrorKind.UNAVAILABLE, "Valkey can't be reached at the moment; try again") from error
