/**
 * What runs inside Redis, where nothing comes between. One hash per count holds all of it, so that it is kept or evicted as
 * a whole: `u<start>` what is settled in a span, `h<start>` what is held there, `o<id>` an open hold, `x<id>` one that was
 * freed after its time and may still be settled, `s<id>` one that was settled when that was said again, `w<key>` the span of the count of
 * another window that it went on from, `latest` the newest span, `next` a time before which no hold ends, `clock` the time at the last hold. A taking of
 * which nothing is held leaves a receipt in a key of its own: its id and its time. Numbers travel as text, because a Lua number in a reply
 * loses its fraction and tostring() its last digits.
 */
import { prelude, spans } from './redis-prelude.ts';

/** What is asked for once this is gone cannot be given back. */
const receiptMs = 120_000;

export const takeLua = `${prelude}${spans}
local function free_expired(key)
  local known = redis.call('HMGET', key, 'next', 'clock')
  if not known[1] then return end
  local set_back = now < tonumber(known[2])
  if now < tonumber(known[1]) and not set_back then return end
  local next_end
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 1) == 'o' then
      local id, hold = string.sub(fields[i], 2), read_hold(fields[i + 1])
      if hold.ends <= now then
        redis.call('HDEL', key, fields[i])
        add(key, 'h' .. text(hold.start), -hold.amount)
        if hold.start ~= 0 then redis.call('HSET', key, 'x' .. id, text(hold.start)) end
      else
        if hold.ends > now + hold.hold_ms then
          hold.ends = now + hold.hold_ms
          write_hold(key, id, hold)
        end
        next_end = math.min(next_end or hold.ends, hold.ends)
      end
    end
  end
  if next_end then redis.call('HSET', key, 'next', text(next_end), 'clock', text(now))
  else redis.call('HDEL', key, 'next', 'clock') end
end

-- Slices that begin later count too, after a clock was set back; there are none as a rule.
local function filled(key, window, start)
  local reach = window.reachMs
  local last = start
  if reach > 0 then
    last = math.max(start, math.min(start + reach, tonumber(redis.call('HGET', key, 'latest') or '0')))
  end
  local names = {}
  for each = start - reach, last, math.max(1, window.stepMs or 1) do
    names[#names + 1] = 'u' .. text(each)
    names[#names + 1] = 'h' .. text(each)
  end
  local values = redis.call('HMGET', key, unpack(names))
  local found, total, held = {}, 0, 0
  for i = 1, #values, 2 do
    local open = tonumber(values[i + 1] or '0')
    local used = tonumber(values[i] or '0') + open
    if used > 0 then found[#found + 1] = { start = start - reach + (i - 1) / 2 * (window.stepMs or 1), used = used } end
    total = total + used
    held = held + open
  end
  return found, total, held
end

local function until_reset(demand, found, excess, finish)
  local window = demand.window
  if window.stepMs == 0 then return 0 end
  if window.reachMs == 0 then return finish - now end
  for _, slice in ipairs(found) do
    excess = excess - slice.used
    if excess <= 0 then return slice.start + window.lengthMs - now end
  end
  return #found == 0 and demand.amount == 0 and 0 or finish - now
end

local function forget_before(key, start, length)
  local latest = tonumber(redis.call('HGET', key, 'latest'))
  if latest and start <= latest and start >= latest - 2 * length then return end
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local sort = string.sub(fields[i], 1, 1)
    local of
    if sort == 'u' or sort == 'h' then of = tonumber(string.sub(fields[i], 2))
    elseif sort == 'o' or sort == 'x' or sort == 's' then of = tonumber(string.match(fields[i + 1], '^%S+')) end
    local is_over = of and (of < start - 2 * length or of > start + 2 * length)
    -- As long again after its end, for a clock that is set back.
    if sort == 'w' then
      local began, ended = string.match(fields[i + 1], '^(%S+) (%S+)$')
      is_over = now > 2 * tonumber(ended) - tonumber(began)
    end
    if is_over then redis.call('HDEL', key, fields[i]) end
  end
  redis.call('HSET', key, 'latest', text(start))
end

-- Where it has nothing of its own in the span it goes on from its former count. What is held there counts as used.
local function filled_or_former(i, demand, start, was_start)
  local found, used, held = filled(KEYS[i], demand.window, start)
  if #found > 0 or not demand.was or demand.window.stepMs == 0 then return found, used, held, {} end
  free_expired(KEYS[demand.was])
  local window = demand.wasWindow or demand.window
  local former, before, held_before = filled(KEYS[demand.was], window, was_start)
  if not demand.wasWindow or before == 0 then return former, before, held_before, former end
  -- Out of another window it is taken over once, as if it were used now: later spans of this one have nothing to do with it.
  local last = tonumber(string.match(redis.call('HGET', KEYS[i], 'w' .. KEYS[demand.was]) or '-1', '^%S+'))
  if last >= was_start - window.reachMs and last <= was_start + window.reachMs then return found, used, held, {} end
  former = { { start = start, used = before } }
  return former, before, held_before, former
end

local looks, all = {}, true
for i, demand in ipairs(asked.demands) do
  local start, finish = span_of(demand.window, now)
  local was_start, was_finish = start, finish
  if demand.wasWindow then was_start, was_finish = span_of(demand.wasWindow, now) end
  if not (start and was_start) then return { 'clock', text(now) } end
  free_expired(KEYS[i])
  local found, used, held, former = filled_or_former(i, demand, start, was_start)
  local excess = used + demand.amount - demand.limit
  if excess > 0 then all = false end
  local reset = until_reset(demand, found, excess, finish)
  looks[i] = { start = start, finish = finish, used = used, held = held, fits = excess <= 0, reset = reset, former = former }
  if demand.wasWindow and #former > 0 then looks[i].was_start, looks[i].was_finish = was_start, was_finish end
end

local reply = {}
for i, demand in ipairs(asked.demands) do
  local key, look = KEYS[i], looks[i]
  local held = look.held
  if all and (demand.hold or demand.amount > 0) then
    local length = look.finish - look.start
    if length > 0 then forget_before(key, look.start, length) end
    for _, slice in ipairs(look.former) do add(key, 'u' .. text(slice.start), slice.used) end
    if look.was_start then
      redis.call('HSET', key, 'w' .. KEYS[demand.was], text(look.was_start) .. ' ' .. text(look.was_finish))
    end
    -- What was held under the old name is settled there, and never leaves this one.
    if #look.former > 0 then held = 0 end
    if demand.hold then
      local hold = { start = look.start, amount = demand.amount, ends = now + demand.holdMs, hold_ms = demand.holdMs }
      add(key, 'h' .. text(look.start), demand.amount)
      held = held + demand.amount
      write_hold(key, demand.hold, hold)
      local next_end = tonumber(redis.call('HGET', key, 'next') or text(hold.ends))
      redis.call('HSET', key, 'next', text(math.min(next_end, hold.ends)), 'clock', text(now))
    else
      add(key, 'u' .. text(look.start), demand.amount)
    end
    -- After the writing, because what is not there yet cannot be kept. As long again after its end, for a clock that is set back
    -- across it.
    keep(key, length > 0 and look.finish + length - now or demand.holdMs)
    if look.was_finish then keep(key, look.was_finish - now) end
  end
  local used = all and look.used + demand.amount or look.used
  reply[i] = { look.fits and 1 or 0, text(used), text(look.start), text(look.reset), text(held) }
end
-- Its key is the last one.
if all and ARGV[2] then redis.call('SET', KEYS[#KEYS], ARGV[2] .. ' ' .. text(now), 'PX', ${receiptMs}) end
return reply
`;

export const settleLua = `${prelude}
for i, settled in ipairs(asked.settlements) do
  local key = KEYS[i]
  local change = settled.spent - settled.amount
  if settled.hold then
    local value = redis.call('HGET', key, 'o' .. settled.hold)
    change = 0
    local is_known = value or redis.call('HDEL', key, 'x' .. settled.hold) == 1
    if value then
      redis.call('HDEL', key, 'o' .. settled.hold)
      add(key, 'h' .. text(settled.start), -read_hold(value).amount)
    end
    local told = 's' .. settled.hold
    -- What is said for the first time was not settled before: its hold was lost, in a failover or with a server's memory.
    if is_known or (settled.first and redis.call('HEXISTS', key, told) == 0) then change = settled.spent end
    -- The first time may still be on its way.
    if is_known and not settled.first and settled.finish > now then redis.call('HSET', key, told, text(settled.start)) end
  end
  local field = 'u' .. text(settled.start)
  -- A server that lost its counts has nothing to give back from.
  local is_there = change > 0 or redis.call('HEXISTS', key, field) == 1
  if change ~= 0 and is_there and settled.finish > now then
    add(key, field, change)
    keep(key, 2 * settled.finish - settled.start - now)
  end
end
return 1
`;

/** A taking whose answer was lost: what proves that it was taken goes with it, so that it is given back once. */
export const giveBackLua = `${prelude}${spans}
local taken_at
if ARGV[2] then
  local value = redis.call('GET', KEYS[#KEYS])
  local id, at = string.match(value or '', '^(%S+) (%S+)$')
  if id == ARGV[2] then
    redis.call('DEL', KEYS[#KEYS])
    taken_at = tonumber(at)
  end
end
for i, demand in ipairs(asked.demands) do
  local value = demand.hold and redis.call('HGET', KEYS[i], 'o' .. demand.hold)
  if value then
    local hold = read_hold(value)
    redis.call('HDEL', KEYS[i], 'o' .. demand.hold)
    add(KEYS[i], 'h' .. text(hold.start), -hold.amount)
    taken_at = hold.ends - hold.hold_ms
  end
end
if not taken_at then return 0 end
for i, demand in ipairs(asked.demands) do
  local start, finish = span_of(demand.window, taken_at)
  local field = start and 'u' .. text(start)
  if field and not demand.hold and finish > now and redis.call('HEXISTS', KEYS[i], field) == 1 then
    add(KEYS[i], field, -demand.amount)
  end
end
return 1
`;
