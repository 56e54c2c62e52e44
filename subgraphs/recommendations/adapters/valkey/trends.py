"""TrendCounters on Valkey: views per country, halved every hour, day and week.

The problem: a counter that fades must not be rewritten all the time. The idea (forward decay): a view at time t adds
2^((t - era) / half-life) to a sorted set whose name holds the era's start; reading divides by 2^((now - era) /
half-life), so that all views weigh as much as they should and nothing is ever updated. Eras are long against the
half-life and short against what a double can hold; a reader adds up the present era and the one before.

Cormode, Shkapenyuk, Srivastava, Xu: Forward decay (2009).
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any, cast

from redis.asyncio import Redis

from subgraphs.recommendations.adapters.valkey.failures import translated_errors
from subgraphs.recommendations.domain.trends import TrendWindow

__all__ = ["HALF_LIVES_S", "ValkeyTrendCounters"]

HALF_LIVES_S: Mapping[TrendWindow, float] = {
    TrendWindow.HOUR: 3_600.0,
    TrendWindow.DAY: 86_400.0,
    TrendWindow.WEEK: 604_800.0,
}

ERA_HALF_LIVES = 400
"""2^400 is far from what a double can hold, and after two eras nothing of a view is left."""
KEPT_HALF_LIVES = 40
"""After the last view of an era: a millionth of a millionth of it is left then."""
EVERYWHERE = "*"
TOP = 100
ENOUGH_TITLES = 5
"""Titles viewed in a country from which on it has trends of its own."""
ONE_VIEW_S = 6 * 3_600
"""A profile's heartbeats in one title within this time are one view."""

_COUNT = """
if not redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then
  return 0
end
for index = 2, #KEYS do
  local offset = 2 + (index - 2) * 2
  redis.call('ZINCRBY', KEYS[index], ARGV[offset + 1], ARGV[2])
  redis.call('EXPIRE', KEYS[index], ARGV[offset + 2])
end
return 1
"""


class ValkeyTrendCounters:
    """Counts on the server; keeps nothing in memory."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._count = redis.register_script(_COUNT)

    async def count_view(self, profile_id: str, title_id: str, country: str | None, at: datetime) -> None:
        """Count a view; one profile counts once for a title within some hours."""
        at_s = at.timestamp()
        keys = [f"marquee:view:{profile_id}:{title_id}:{int(at_s // ONE_VIEW_S)}"]
        arguments: list[Any] = [2 * ONE_VIEW_S, title_id]
        for place in dict.fromkeys((country or EVERYWHERE, EVERYWHERE)):
            for window, half_life_s in HALF_LIVES_S.items():
                era = _era(at_s, half_life_s)
                keys.append(_key(place, window, era))
                arguments.append(repr(math.exp2(_age(at_s, era, half_life_s))))
                arguments.append(int(KEPT_HALF_LIVES * half_life_s))
        with translated_errors("trends"):
            await cast("Awaitable[int]", self._count(keys=keys, args=arguments))

    async def trending(self, country: str | None, now: datetime) -> Mapping[TrendWindow, Mapping[str, float]]:
        """Views by title id as they weigh now, of the country when it has enough, else of everywhere."""
        if country is not None:
            views = await self._views(country, now.timestamp())
            if len(set().union(*views.values())) >= ENOUGH_TITLES:
                return views
        return await self._views(EVERYWHERE, now.timestamp())

    async def _views(self, place: str, now_s: float) -> dict[TrendWindow, dict[str, float]]:
        asked = [
            (window, half_life_s, era)
            for window, half_life_s in HALF_LIVES_S.items()
            for era in (_era(now_s, half_life_s) - 1, _era(now_s, half_life_s))
        ]
        with translated_errors("trends"):
            async with self._redis.pipeline(transaction=False) as pipeline:
                for window, _, era in asked:
                    pipeline.zrevrange(_key(place, window, era), 0, TOP - 1, withscores=True)
                answers: list[list[tuple[bytes, float]]] = await pipeline.execute()
        by_window: dict[TrendWindow, dict[str, float]] = {}
        for (window, half_life_s, era), rows in zip(asked, answers, strict=True):
            fade = math.exp2(-_age(now_s, era, half_life_s))
            counts = by_window.setdefault(window, {})
            for title_id, score in rows:
                counts[title_id.decode()] = counts.get(title_id.decode(), 0.0) + score * fade
        return by_window


def _era(at_s: float, half_life_s: float) -> int:
    return int(at_s // (ERA_HALF_LIVES * half_life_s))


def _age(at_s: float, era: int, half_life_s: float) -> float:
    """Half-lives since the era began."""
    return at_s / half_life_s - era * ERA_HALF_LIVES


def _key(place: str, window: TrendWindow, era: int) -> str:
    return f"marquee:trend:{place}:{window}:{era}"
