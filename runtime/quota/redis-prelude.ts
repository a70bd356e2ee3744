/** What every script of the quotas begins with: the time, holds as they are written, and the spans of windows. */

export const prelude = `
local asked = cjson.decode(ARGV[1])
local now = asked.now
if not now then
  local clock = redis.call('TIME')
  now = clock[1] * 1000 + math.floor(clock[2] / 1000)
end

local function text(number) return string.format('%.0f', number) end

local function keep(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, text(ms)) end
end

local function read_hold(value)
  local start, amount, ends, hold_ms = string.match(value, '^(%S+) (%S+) (%S+) (%S+)$')
  return { start = tonumber(start), amount = tonumber(amount), ends = tonumber(ends), hold_ms = tonumber(hold_ms) }
end

local function write_hold(key, id, hold)
  local value = table.concat({ text(hold.start), text(hold.amount), text(hold.ends), text(hold.hold_ms) }, ' ')
  redis.call('HSET', key, 'o' .. id, value)
end

local function add(key, field, amount)
  if amount == 0 then return end
  if tonumber(redis.call('HINCRBY', key, field, text(amount))) < 0 then redis.call('HSET', key, field, '0') end
end
`;

export const spans = `
local function span_of(window, at)
  if window.spans then
    for _, span in ipairs(window.spans) do
      if at >= span[1] and at < span[2] then return span[1], span[2] end
    end
    return nil
  end
  if window.stepMs == 0 then return 0, 0 end
  local start = at - at % window.stepMs
  return start, start + window.lengthMs
end
`;
