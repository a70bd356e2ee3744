/** Days, weeks, months and years of an IANA zone as spans of real time: a day is as long as its clocks made it. */

/** From `start` up to `end`, without it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface CalendarWindow {
  readonly unit: 'day' | 'week' | 'month' | 'year';
  readonly zone: string;
}

const dayMs = 86_400_000;
/** No clock is further from UTC than this, with room for zones that changed sides of the date line. */
const farthestMs = 36 * 3_600_000;

/** A day of the calendar, counted from 1 January 1970 and without any zone. */
type Day = number;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  });
  formats.set(zone, format);
  return format;
}

function dayIn(zone: string, at: number): Day {
  const found = { year: 0, month: 0, day: 0 };
  for (const { type, value } of formatOf(zone).formatToParts(at))
    if (type === 'year' || type === 'month' || type === 'day') found[type] = Number(value);
  return Date.UTC(found.year, found.month - 1, found.day) / dayMs;
}

function firstDayOf(unit: CalendarWindow['unit'], day: Day): Day {
  const date = new Date(day * dayMs);
  switch (unit) {
    case 'day':
      return day;
    case 'week':
      return day - ((date.getUTCDay() + 6) % 7);
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth()) / dayMs;
    case 'year':
      return Date.UTC(date.getUTCFullYear(), 0) / dayMs;
  }
}

/** `first` begins a unit; the next one begins within so many days, and its own first day is the answer. */
function firstDayAfter(unit: CalendarWindow['unit'], first: Day): Day {
  const longest = { day: 1, week: 7, month: 31, year: 366 }[unit];
  return firstDayOf(unit, first + longest);
}

/**
 * When a day begins in a zone. Searched for and not computed from an offset: midnight may not exist, or twice, and a whole
 * day may be left out.
 */
function beginning(zone: string, day: Day): number {
  let before = day * dayMs - farthestMs;
  let after = day * dayMs + farthestMs;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (dayIn(zone, middle) >= day) after = middle;
    else before = middle;
  }
  return after;
}

function search({ unit, zone }: CalendarWindow, at: number): Span {
  let first = firstDayOf(unit, dayIn(zone, at));
  // Where a clock went back over midnight, its date says more or less than the moment does.
  for (;;) {
    const next = firstDayAfter(unit, first);
    const span = { start: beginning(zone, first), end: beginning(zone, next) };
    if (at < span.start) first = firstDayOf(unit, first - 1);
    else if (at >= span.end) first = next;
    else return span;
  }
}

/** The spans found last for each window: what is asked for is nearly always one of them, or beside one. */
const lately = new Map<string, Span[]>();
const keptSpans = 4;

export function calendarSpan(window: CalendarWindow, at: number): Span {
  const name = `${window.unit} ${window.zone}`;
  const known = lately.get(name) ?? [];
  const found = known.find(({ start, end }) => at >= start && at < end);
  if (found) return found;
  const span = search(window, at);
  lately.set(name, [span, ...known].slice(0, keptSpans));
  return span;
}
