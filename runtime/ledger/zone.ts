/** Time zones as the ledger needs them: how far from UTC the clocks of one stood, and when its days began. */

/** A span in which the clocks stood equally far from UTC. Milliseconds, `to` not included. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly offsetMs: number;
}

const dayMs = 86_400_000;

export const utc = 'UTC';

/** How far ahead of UTC the clocks stand at a moment, in milliseconds. */
function offsetsOf(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, year: 'numeric', timeZoneName: 'longOffset' });
  return (at) => {
    const [, sign = '+', hours = 0, minutes = 0, seconds = 0] =
      /GMT([+-])(\d+):(\d+)(?::(\d+))?/.exec(format.format(at)) ?? [];
    return Number(`${sign}1`) * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  };
}

/** The first second at which `isLater`, which is so at `after` and not at `before`. */
function changeBetween(before: number, after: number, isLater: (at: number) => boolean): number {
  let [early, late] = [Math.floor(before / 1_000), Math.ceil(after / 1_000)];
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    if (isLater(middle * 1_000)) late = middle;
    else early = middle;
  }
  return late * 1_000;
}

/** Clocks that are set twice within a day and end where they began are taken not to have been set. */
export function stretchesOf(zone: string, from: number, to: number): readonly Stretch[] {
  if (zone === utc) return [{ from, to, offsetMs: 0 }];
  const offsetAt = offsetsOf(zone);
  const stretches: Stretch[] = [];
  let began = from;
  let offsetMs = offsetAt(from);
  for (let before = from; before < to; before += dayMs) {
    const after = Math.min(before + dayMs, to);
    const then = offsetAt(after);
    if (then === offsetMs) continue;
    const at = changeBetween(before, after, (moment) => offsetAt(moment) === then);
    stretches.push({ from: began, to: at, offsetMs });
    [began, offsetMs] = [at, then];
  }
  return [...stretches, { from: began, to, offsetMs }];
}

/** Where one day or month ends and the next begins, and where the clocks were set. */
export function boundariesIn(stretches: readonly Stretch[], unit: 'day' | 'month'): readonly number[] {
  return stretches.flatMap(({ from, to, offsetMs }, index) => {
    const found = index === 0 ? [] : [from];
    for (let day = Math.ceil((from + offsetMs) / dayMs); day * dayMs - offsetMs < to; day += 1)
      if (unit === 'day' || new Date(day * dayMs).getUTCDate() === 1) found.push(day * dayMs - offsetMs);
    return found;
  });
}

export function offsetText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const shownWith = (at: number, offsetMs: number): string =>
  new Date(at + offsetMs).toISOString().replace('Z', offsetText(offsetMs));

/** A moment as the clocks of a zone showed it, with how far from UTC they stood. */
export const timeIn = (zone: string, at: number): string =>
  zone === utc ? new Date(at).toISOString() : shownWith(at, offsetsOf(zone)(at));

/** Does the same for many moments of a span. */
export function writerFor(zone: string, from: number, to: number): (at: number) => string {
  if (zone === utc) return (at) => new Date(at).toISOString();
  const stretches = stretchesOf(zone, from, to);
  return (at) => shownWith(at, stretches.findLast((stretch) => at >= stretch.from)?.offsetMs ?? 0);
}

const written = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?(Z|[+-]\d\d:\d\d)?$/;

/** A day or a moment; without an offset, as the clocks of the zone show it. Undefined where it is none. */
export function momentIn(zone: string, text: string): number | undefined {
  const [, date, time = '00:00', offset] = written.exec(text) ?? [];
  if (date === undefined) return undefined;
  const shown = Date.parse(`${date}T${time}Z`);
  // The 30th of February is read as the 2nd of March.
  if (Number.isNaN(shown) || !new Date(shown).toISOString().startsWith(date)) return undefined;
  if (offset !== undefined) {
    const at = Date.parse(`${date}T${time}${offset}`);
    return Number.isNaN(at) ? undefined : at;
  }
  if (zone === utc) return shown;
  const offsetAt = offsetsOf(zone);
  const [before, after] = [shown - offsetAt(shown - dayMs), shown - offsetAt(shown + dayMs)];
  // What the clocks showed twice is the first of both; what they left out, where they were set.
  const shows = (at: number) => at + offsetAt(at) === shown;
  return shows(before) || !shows(after) ? before : after;
}
