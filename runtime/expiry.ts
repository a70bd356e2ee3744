/** When what was given for a time is over. */

/** A day ends where it ends last: nobody's key stops on the morning of the day that its owner was told. */
const day = /^\d{4}-\d{2}-\d{2}$/;
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the Unix epoch from which on something is over: the end of a day in UTC, or the instant itself. */
export function expiryOf(text: string): number | undefined {
  const [date = ''] = text.split('T');
  const midnight = new Date(`${date}T00:00:00Z`);
  // The engine takes the 31st of February for a day in March.
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== date) return undefined;
  if (day.test(text)) return midnight.getTime() + 86_400_000;
  const at = instant.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
