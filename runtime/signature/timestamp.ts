/** Times in an `allowed_signers` file: `YYYYMMDD` or `YYYYMMDDHHMM[SS]`, in the system's time zone, or in UTC with a `Z`. */
import { Malformed } from './wire.ts';

const form = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)$/;

/** Unix milliseconds. Throws `Malformed`, also for a day that no calendar has. */
export function timestampOf(text: string, what: string): number {
  const [, year, month, day, hour = 0, minute = 0, second = 0, zone] = form.exec(text) ?? [];
  const wrong = () =>
    new Malformed(`${what} "${text}" is no time; write YYYYMMDD or YYYYMMDDHHMM[SS], with Z behind it for UTC`);
  if (year === undefined) throw wrong();
  const date = [Number(year), Number(month) - 1, Number(day)] as const;
  const time = [Number(hour), Number(minute), Number(second)] as const;
  const utc = new Date(Date.UTC(...date, ...time));
  const digits = utc.toISOString().replaceAll(/\D/g, '').slice(0, 14);
  // A day or an hour out of range rolls over into the next.
  if (!digits.startsWith(text.replace('Z', ''))) throw wrong();
  return zone === 'Z' ? utc.getTime() : new Date(...date, ...time).getTime();
}
