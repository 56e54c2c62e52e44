"""ExperimentMeasures on Valkey: one hash per profile that met an experiment.

Fields: `x:<experiment>:<version>` the arm and the first exposure as JSON [arm, at]; `t:<experiment>:<version>` the day
on which it was told last; `s:<experiment>:<version>:<figure>` a sum; `w:<title>` the last place in a title as JSON
[at, position, completed]; `d` the last day with watching. Beside it stands a sorted set with the ids of what was
counted last, so that an event that comes again counts once. Both go KEPT_S after the last write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from subgraphs.recommendations.adapters.valkey.failures import translated_errors
from subgraphs.recommendations.domain.page import Exposure
from subgraphs.recommendations.domain.taste import Watched
from subgraphs.recommendations.experiments.definition import Experiment
from subgraphs.recommendations.experiments.metrics import Figure
from subgraphs.recommendations.experiments.results import ProfileFigures

__all__ = ["COUNTED_KEYS", "MEASURE_KEYS", "OVERRIDE_KEYS", "ValkeyExperimentMeasures"]

MEASURE_KEYS = "marquee:measures:"
COUNTED_KEYS = "marquee:measured:"
OVERRIDE_KEYS = "marquee:experiment-arms:"
KEPT_S = 180 * 24 * 3600
"""Half a year after a profile's last deed: longer than any experiment should take."""
OVERRIDE_KEPT_S = 7 * 24 * 3600
MAX_COUNTED = 600
"""Ids remembered per profile: a dozen reports of a screen."""
MAX_TITLES = 1_000
"""Places remembered per profile; titles beyond are not measured."""
MAX_SPEED = 2.0
"""Of playing: more than this times the time since the last report was skipped, not watched."""
FIRST_S = 60.0
"""Counted of a title's first report, whose beginning nobody knows."""
POINTS = "points:"
READ_AT_ONCE = 200

_Argument = bytes | str | int | float

_EXPOSE = """
redis.call('HSETNX', KEYS[1], 'x:' .. ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
if redis.call('HGET', KEYS[1], 't:' .. ARGV[1]) == ARGV[3] then
  return 0
end
redis.call('HSET', KEYS[1], 't:' .. ARGV[1], ARGV[3])
return 1
"""

# Which of the experiments in ARGV[1] the profile had met by ARGV[2].
_MET = """
local met = {}
for _, key in ipairs(cjson.decode(ARGV[1])) do
  local exposed = redis.call('HGET', KEYS[1], 'x:' .. key)
  if exposed and cjson.decode(exposed)[2] <= tonumber(ARGV[2]) then
    met[#met + 1] = key
  end
end
if #met == 0 then
  return 0
end
local function add(figure, amount)
  for _, key in ipairs(met) do
    redis.call('HINCRBYFLOAT', KEYS[1], 's:' .. key .. ':' .. figure, amount)
  end
end
"""

_COUNT = (
    _MET
    + """
if redis.call('ZADD', KEYS[2], 'NX', ARGV[2], ARGV[3]) == 0 then
  return 0
end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[5]))
redis.call('EXPIRE', KEYS[2], ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[6])
add(ARGV[4], 1)
return 1
"""
)

_WATCH = (
    _MET
    + """
local field, at, position = 'w:' .. ARGV[3], tonumber(ARGV[2]), tonumber(ARGV[4])
local known, moved = redis.call('HGET', KEYS[1], field), 0
local finished = ARGV[5] == '1'
if known then
  local before = cjson.decode(known)
  if at <= before[1] then
    return 0
  end
  moved = math.min(math.max(0, position - before[2]), (at - before[1]) * tonumber(ARGV[7]))
  if finished and not before[3] then
    add('completed', 1)
  end
  finished = finished or before[3]
else
  if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[9]) then
    return 0
  end
  moved = math.min(position, tonumber(ARGV[8]))
  add('begun', 1)
  if finished then
    add('completed', 1)
  end
end
-- As it came: cjson writes fourteen digits, which cuts instants.
redis.call('HSET', KEYS[1], field, '[' .. ARGV[2] .. ',' .. ARGV[4] .. ',' .. tostring(finished) .. ']')
redis.call('EXPIRE', KEYS[1], ARGV[10])
if moved > 0 then
  add('watched-s', moved)
end
local day = redis.call('HGET', KEYS[1], 'd')
if not day or day < ARGV[6] then
  redis.call('HSET', KEYS[1], 'd', ARGV[6])
  add('days', 1)
end
return 1
"""
)


class ValkeyExperimentMeasures:
    """See the ExperimentMeasures port."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._expose = redis.register_script(_EXPOSE)
        self._count = redis.register_script(_COUNT)
        self._watch = redis.register_script(_WATCH)

    async def expose(self, profile_id: str, exposure: Exposure, at: datetime) -> bool:
        """See ExperimentMeasures."""
        met = orjson.dumps([exposure.arm, at.timestamp()])
        with translated_errors("measures"):
            return bool(
                await cast(
                    "Awaitable[int]",
                    self._expose(keys=[_hash_of(profile_id)], args=[exposure.key, met, at.date().isoformat(), KEPT_S]),
                )
            )

    async def count(self, profile_id: str, experiments: Sequence[str], what: str, event_id: str, at: datetime) -> None:
        """See ExperimentMeasures."""
        keys = [_hash_of(profile_id), _counted_of(profile_id)]
        args: list[_Argument] = [orjson.dumps(experiments), at.timestamp(), event_id, what, MAX_COUNTED, KEPT_S]
        with translated_errors("measures"):
            await cast("Awaitable[int]", self._count(keys=keys, args=args))

    async def count_point(self, profile_id: str, experiment: str, arm: str, event_id: str, at: datetime) -> None:
        """See ExperimentMeasures."""
        await self.count(profile_id, [experiment], f"{POINTS}{arm}", f"{event_id}:point", at)

    async def count_watched(self, profile_id: str, experiments: Sequence[str], title_id: str, watched: Watched) -> None:
        """See ExperimentMeasures."""
        at = datetime.fromtimestamp(watched.at_s, UTC)
        args: list[_Argument] = [
            orjson.dumps(experiments),
            watched.at_s,
            title_id,
            watched.position_s,
            int(watched.completed),
            at.date().isoformat(),
            MAX_SPEED,
            FIRST_S,
            MAX_TITLES,
            KEPT_S,
        ]
        with translated_errors("measures"):
            await cast("Awaitable[int]", self._watch(keys=[_hash_of(profile_id)], args=args))

    async def figures(self, experiment: Experiment) -> AsyncIterator[ProfileFigures]:
        """See ExperimentMeasures."""
        names = [figure.value for figure in Figure]
        points = [arm.name for arm in experiment.arms] if experiment.is_interleaved else []
        fields = [f"x:{experiment.key}"]
        fields += [f"s:{experiment.key}:{name}" for name in (*names, *(f"{POINTS}{arm}" for arm in points))]
        with translated_errors("measures"):
            keys: set[bytes] = set()
            # A scan may name a key twice; profiles count once.
            async for key in self._redis.scan_iter(match=f"{MEASURE_KEYS}*", count=READ_AT_ONCE):
                keys.add(key)
            ordered = sorted(keys)
            for start in range(0, len(ordered), READ_AT_ONCE):
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for key in ordered[start : start + READ_AT_ONCE]:
                        pipeline.hmget(key, fields)
                    for exposed, *values in await pipeline.execute():
                        if exposed is not None:
                            sums = [0.0 if value is None else float(value) for value in values]
                            yield ProfileFigures(
                                arm=orjson.loads(exposed)[0],
                                figures=dict(zip(names, sums, strict=False)),
                                points=dict(zip(points, sums[len(names) :], strict=True)),
                            )

    async def forget(self, profile_id: str) -> None:
        """See ExperimentMeasures."""
        with translated_errors("measures"):
            await self._redis.delete(_hash_of(profile_id), _counted_of(profile_id), OVERRIDE_KEYS + profile_id)

    async def overrides(self, profile_id: str) -> Mapping[str, str]:
        """See ExperimentMeasures."""
        with translated_errors("measures"):
            found: Any = await cast("Awaitable[Any]", self._redis.hgetall(OVERRIDE_KEYS + profile_id))
        return {name.decode(): arm.decode() for name, arm in found.items()}

    async def override(self, profile_id: str, experiment_id: str, arm: str | None) -> None:
        """See ExperimentMeasures."""
        key = OVERRIDE_KEYS + profile_id
        with translated_errors("measures"):
            if arm is None:
                await self._redis.hdel(key, experiment_id)
                return
            async with self._redis.pipeline() as pipeline:
                pipeline.hset(key, experiment_id, arm)
                pipeline.expire(key, OVERRIDE_KEPT_S)
                await pipeline.execute()


def _hash_of(profile_id: str) -> str:
    # Braces: in a cluster both keys of a profile lie on one server, as the scripts need.
    return f"{MEASURE_KEYS}{{{profile_id}}}"


def _counted_of(profile_id: str) -> str:
    return f"{COUNTED_KEYS}{{{profile_id}}}"
