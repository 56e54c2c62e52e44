"""Takes away what processes that are gone for good leave of themselves in a stream: members of groups, and own groups.

Members are named by host and port, and where every process must hear everything, so are groups. In a cluster each new
version of a service has new hosts: what they were called piles up, and whoever looks at the lag finds groups that
nobody reads. A group that processes share is never taken away: its service may be down for long, and hears then what
it missed. Redis before 7.2 does not tell since when nobody asked, only since when nobody got anything: there all stay.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis

__all__ = ["IDLE_MS", "remove_idle"]

IDLE_MS = 24 * 3600 * 1000
"""A member that runs asks every two seconds. One that comes back later begins anew, at the stream's beginning."""

# In one step: a member that comes back in between would lose what it has just taken.
# KEYS: the stream. ARGV: the group, what names of processes' own groups begin with ('' for none), milliseconds.
# Answers how many members and groups are gone.
_REMOVE = """
local function fields(row)
  local found = {}
  for place = 1, #row, 2 do found[row[place]] = row[place + 1] end
  return found
end
local members, groups = 0, 0
for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local member = fields(row)
  -- What is older does not tell this, and calls those idle who hear nothing.
  if not member.inactive then return {0, 0} end
  if member.pending == 0 and member.idle > tonumber(ARGV[3]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], member.name)
    members = members + 1
  end
end
for _, row in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = fields(row)
  local is_own = ARGV[2] ~= '' and string.sub(group.name, 1, #ARGV[2]) == ARGV[2] and group.name ~= ARGV[1]
  if is_own and group.consumers > 0 then
    local is_idle = true
    for _, each in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], group.name)) do
      local member = fields(each)
      is_idle = is_idle and member.inactive and member.idle > tonumber(ARGV[3])
    end
    if is_idle then
      redis.call('XGROUP', 'DESTROY', KEYS[1], group.name)
      groups = groups + 1
    end
  end
end
return {members, groups}
"""


async def remove_idle(redis: Redis, stream: str, group: str, own_groups: str | None, idle_ms: int) -> tuple[int, int]:
    """Take members out of `group` that have nothing pending, and groups whose names begin with `own_groups`.

    Those that asked for nothing in `idle_ms` milliseconds; how many members and how many groups there were. `group`
    must be there, and stays.
    """
    removed: Any = await redis.eval(_REMOVE, 1, stream, group, own_groups or "", str(idle_ms))
    members, groups = removed
    return int(members), int(groups)
