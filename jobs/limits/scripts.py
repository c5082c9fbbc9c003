"""The scripts that decide, inside Redis and on Redis' clock. Each is one step that nobody can come between.

Written to the commands of Redis 6.2. All keys of one limit carry `{name}` and so lie in one slot of a cluster; bells
are made from a prefix and are not among KEYS for that reason.

A concurrency limit's keys (`KEYS` in this order):

    held    sorted set: lease → millisecond at which it ends   since   hash: lease → millisecond of its start
    state   hash: effective, successes, cuts, cut_at, paused_until, reason, ticket
    line    sorted set: who waits → ticket                alive   sorted set: who waits → when it counts as gone
    then for each queue with reserved places: held_by (a set of leases) and line_of (as line)

`bell:<id>` is a list that one waiter blocks on. A bell only says "ask again": losing one costs the waiter a second, and
one too many costs a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1

# `now` is in milliseconds. Tests put another clock here, to run the bodies below against a model in Python.
CLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""


@dataclass(frozen=True)
class Script:
    """Lua without its clock."""

    body: str

    @cached_property
    def text(self) -> str:
        return CLOCK + self.body

    @cached_property
    def sha(self) -> str:
        return sha1(self.text.encode(), usedforsecurity=False).hexdigest()


# Needs LINE, ALIVE, BELL, LINE_OF.
_LINE = """
local function leave(id)
  redis.call('ZREM', LINE, id)
  redis.call('ZREM', ALIVE, id)
  for i = 1, #LINE_OF do redis.call('ZREM', LINE_OF[i], id) end
  redis.call('DEL', BELL .. id)
end

-- Who waits asks again every second. Who did not for a while was killed, and must not hold up those behind.
local function sweep_line()
  if redis.call('EXISTS', ALIVE) == 0 then return end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', ALIVE, '-inf', now)) do leave(id) end
end

-- Waiters before the one with this ticket; all of them for a newcomer, who has none.
local function ahead(line, ticket)
  if ticket == '' then return redis.call('ZCARD', line) end
  return redis.call('ZCOUNT', line, '-inf', '(' .. ticket)
end

local function ring(line, count)
  if count < 1 then return end
  for _, id in ipairs(redis.call('ZRANGE', line, 0, math.min(count, 16) - 1)) do
    local bell = BELL .. id
    if redis.call('EXISTS', bell) == 0 then
      redis.call('RPUSH', bell, 1)
      redis.call('PEXPIRE', bell, 10000)
    end
  end
end
"""

# ARGV: size, prefix of bells, number of reserved queues, the places of each; then the script's own, by arg(n).
_PLACES = (
    """
local HELD, SINCE, STATE, LINE, ALIVE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local size, BELL, queues = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local HELD_BY, LINE_OF, reserved = {}, {}, {}
for i = 1, queues do
  HELD_BY[i], LINE_OF[i], reserved[i] = KEYS[4 + 2 * i], KEYS[5 + 2 * i], tonumber(ARGV[3 + i])
end
local function arg(n) return ARGV[3 + queues + n] end
"""
    + _LINE
    + """
local function give_back(id)
  if redis.call('ZREM', HELD, id) == 0 then return 0 end
  redis.call('HDEL', SINCE, id)
  for i = 1, queues do redis.call('SREM', HELD_BY[i], id) end
  return 1
end

local function sweep_held()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', HELD, '-inf', now)) do give_back(id) end
end

local function pause_left()
  return tonumber(redis.call('HGET', STATE, 'paused_until') or 0) - now
end

local function effective()
  return math.min(size, tonumber(redis.call('HGET', STATE, 'effective') or size))
end

-- Free places: in all, those anyone may take, and for each reserved queue what is left of its own. However small the
-- limit has become, one place stays for anyone: else the other queues would starve.
local function rooms()
  local limit = effective()
  local room, spare, own = limit - redis.call('ZCARD', HELD), limit - 1, {}
  local general = room
  for i = 1, queues do
    local places = math.min(reserved[i], spare)
    spare = spare - places
    own[i] = places - redis.call('SCARD', HELD_BY[i])
    if own[i] > 0 then general = general - own[i] end
  end
  return room, general, own
end

local function ring_those_with_room()
  if redis.call('EXISTS', LINE) == 0 or pause_left() > 0 then return end
  local room, general, own = rooms()
  ring(LINE, general)
  for i = 1, queues do ring(LINE_OF[i], math.min(own[i], room)) end
end

-- Additive increase: one place more for every `after` calls that went well.
local function raise(after)
  local stored = tonumber(redis.call('HGET', STATE, 'effective') or 0)
  if stored == 0 or redis.call('HINCRBY', STATE, 'successes', 1) < after then return end
  if stored + 1 >= size then
    redis.call('HDEL', STATE, 'effective', 'successes', 'cuts')
  else
    redis.call('HSET', STATE, 'effective', stored + 1, 'successes', 0, 'cuts', 0)
  end
end

-- A pause is never shortened by another one.
local function pause(milliseconds, reason)
  if milliseconds > 0 and milliseconds > pause_left() then
    redis.call('HSET', STATE, 'paused_until', now + milliseconds, 'reason', reason)
  end
end
"""
)

# id, lease in ms, number of the reserved queue or 0, ticket or '', patience in ms (0: does not get in line).
# → the millisecond now: the place is taken. Else [ms until it may be worth asking again, ticket, 1 if paused].
# One line in the order of arrival, and those of a reserved queue stand in a second one as well: neither can starve.
ACQUIRE = Script(
    _PLACES
    + """
local id, queue, ticket, patience = arg(1), tonumber(arg(3)), arg(4), tonumber(arg(5))
sweep_held()
sweep_line()
local paused = pause_left()
if paused <= 0 then
  local room, general, own = rooms()
  if room > 0 and (general > ahead(LINE, ticket)
                   or queue > 0 and own[queue] > ahead(LINE_OF[queue], ticket)) then
    redis.call('ZADD', HELD, now + arg(2), id)
    redis.call('HSET', SINCE, id, now)
    if queue > 0 then redis.call('SADD', HELD_BY[queue], id) end
    if ticket ~= '' then leave(id) end
    ring_those_with_room()
    return now
  end
end
local before = ahead(LINE, ticket)
if patience > 0 then
  if ticket == '' then ticket = redis.call('HINCRBY', STATE, 'ticket', 1) end
  redis.call('ZADD', LINE, ticket, id)
  if queue > 0 then redis.call('ZADD', LINE_OF[queue], ticket, id) end
  redis.call('ZADD', ALIVE, now + patience, id)
end
local wait = 3600000
if paused > 0 then
  wait = paused
elseif before == 0 then
  local first = redis.call('ZRANGE', HELD, 0, 0, 'WITHSCORES')
  if first[2] then wait = first[2] - now end
end
return {wait, tostring(ticket), paused > 0 and 1 or 0}
"""
)

# id, 1 if the call went well, calls for one place more. → 1 if the lease was still there.
RELEASE = Script(
    _PLACES
    + """
local was_held = give_back(arg(1))
if arg(2) == '1' then raise(tonumber(arg(3))) end
ring_those_with_room()
return was_held
"""
)

# id. Who gives up, or does not know whether it was given a place, leaves nothing behind.
FORGET = Script(
    _PLACES
    + """
leave(arg(1))
give_back(arg(1))
ring_those_with_room()
return 1
"""
)

# lease in ms, ids. → those that are not held any more. XX alone would revive a lease that ended but was not swept yet.
BEAT = Script(
    _PLACES
    + """
local lost = {}
for n = 2, #ARGV - 3 - queues do
  local ends = redis.call('ZSCORE', HELD, arg(n))
  if ends and tonumber(ends) > now then
    redis.call('ZADD', HELD, 'XX', now + arg(1), arg(n))
  else
    give_back(arg(n))
    table.insert(lost, arg(n))
  end
end
if #lost > 0 then ring_those_with_room() end
return lost
"""
)

# ms, reason. → the millisecond at which the pause ends.
PAUSE = Script(
    _PLACES
    + """
pause(tonumber(arg(1)), arg(2))
return now + pause_left()
"""
)

RESUME = Script(
    _PLACES
    + """
redis.call('HDEL', STATE, 'paused_until', 'reason')
ring_those_with_room()
return 1
"""
)

# since (ms at which the refused call got its place; 0: unknown), pause in ms (-1: not stated), reason, least and
# longest pause of our own. → the effective limit.
# Multiplicative decrease, once per overload: of twenty calls refused together, those that began before the cut say
# nothing new. Without a call's beginning, refusals within a second of a cut or within the pause are taken for old news.
THROTTLED = Script(
    _PLACES
    + """
local since, stated = tonumber(arg(1)), tonumber(arg(2))
local cut_at = tonumber(redis.call('HGET', STATE, 'cut_at') or 0)
local is_news
if since > 0 then is_news = since > cut_at else is_news = pause_left() <= 0 and now - cut_at >= 1000 end
if is_news then
  local cuts = redis.call('HINCRBY', STATE, 'cuts', 1)
  redis.call('HSET', STATE, 'effective', math.max(1, math.floor(effective() / 2)), 'cut_at', now, 'successes', 0)
  if stated < 0 then stated = math.min(tonumber(arg(5)), arg(4) * 2 ^ (cuts - 1)) end
end
pause(stated, arg(3))
return effective()
"""
)

# calls for one place more. → the effective limit.
SUCCEEDED = Script(
    _PLACES
    + """
raise(tonumber(arg(1)))
ring_those_with_room()
return effective()
"""
)

# → [now, effective, paused_until, reason, waiting, leases with their ends, leases with their beginnings]
STATE = Script(
    _PLACES
    + """
return {
  now, effective(), redis.call('HGET', STATE, 'paused_until') or 0, redis.call('HGET', STATE, 'reason') or '',
  redis.call('ZCOUNT', ALIVE, '(' .. now, '+inf'),
  redis.call('ZRANGEBYSCORE', HELD, '(' .. now, '+inf', 'WITHSCORES'), redis.call('HGETALL', SINCE)
}
"""
)

# KEYS: bucket (hash: level, at), line, alive. ARGV: per minute, burst, prefix of bells; then the script's own.
# `%.17g` keeps every digit of a level; Lua's own conversion keeps 14.
_BUCKET = (
    """
local BUCKET, LINE, ALIVE, BELL, LINE_OF = KEYS[1], KEYS[2], KEYS[3], ARGV[3], {}
local per_minute, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local function arg(n) return ARGV[3 + n] end
"""
    + _LINE
    + """
-- A full bucket to begin with. A clock set back fills nothing.
local function level_now()
  local stored = redis.call('HMGET', BUCKET, 'level', 'at')
  if not stored[1] then return burst end
  return math.min(burst, stored[1] + math.max(0, now - stored[2]) * per_minute / 60000)
end

local function store(level)
  redis.call('HSET', BUCKET, 'level', string.format('%.17g', level), 'at', now)
end
"""
)

# id, n, ticket or '', patience in ms. → [1] taken, [0, ms until it may be worth asking again, ticket].
TAKE = Script(
    _BUCKET
    + """
local id, n, ticket, patience = arg(1), tonumber(arg(2)), arg(3), tonumber(arg(4))
sweep_line()
local level, before = level_now(), ahead(LINE, ticket)
if before == 0 and level >= n then
  store(level - n)
  if ticket ~= '' then leave(id) end
  ring(LINE, 1)
  return {1}
end
if patience > 0 then
  if ticket == '' then ticket = redis.call('HINCRBY', BUCKET, 'ticket', 1) end
  redis.call('ZADD', LINE, ticket, id)
  redis.call('ZADD', ALIVE, now + patience, id)
end
local wait = 3600000
if before == 0 then wait = math.ceil((n - level) * 60000 / per_minute) end
return {0, wait, tostring(ticket)}
"""
)

# n: what to give back; negative: what to charge. → the level, as text.
# Never deeper than one full bucket: what one call could have taken at most.
SETTLE = Script(
    _BUCKET
    + """
local level = math.max(-burst, math.min(burst, level_now() + arg(1)))
store(level)
if level > 0 then ring(LINE, 1) end
return string.format('%.17g', level)
"""
)

# id
LEAVE_BUCKET = Script(
    _BUCKET
    + """
leave(arg(1))
ring(LINE, 1)
return 1
"""
)

# → [level as text, waiting]
BUCKET_STATE = Script(
    _BUCKET
    + """
return {string.format('%.17g', level_now()), redis.call('ZCOUNT', ALIVE, '(' .. now, '+inf')}
"""
)
