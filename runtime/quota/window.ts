/** Which span of time a moment counts in: pure arithmetic that every quota store shares. */
import { calendarSpan, type Span } from './calendar.ts';
import type { Window } from './store.ts';

const slicesInWindow = 60;

function nameOf(window: Window): string {
  switch (window.kind) {
    case 'calendar':
      return `calendar:${window.unit}:${window.zone}`;
    case 'none':
      return 'none';
    default:
      return `${window.kind}:${window.ms}`;
  }
}

const names = new WeakMap<Window, string>();

/** Names the counts of a window beside those of others with the same key. */
export function windowName(window: Window): string {
  let name = names.get(window);
  if (name === undefined) names.set(window, (name = nameOf(window)));
  return name;
}

/** Spans of fixed length, as sliding and fixed windows have them: a new one every `stepMs`, which counts for `lengthMs`. */
export function rhythmOf(window: { readonly kind: 'fixed' | 'sliding'; readonly ms: number }): {
  readonly stepMs: number;
  readonly lengthMs: number;
} {
  if (!(window.ms >= 1 && Number.isSafeInteger(window.ms))) {
    throw new RangeError(`a window of ${window.ms} ms; give a whole number of milliseconds`);
  }
  if (window.kind === 'fixed') return { stepMs: window.ms, lengthMs: window.ms };
  // What is taken at the end of a slice must count for all of the window: hence one slice more.
  const stepMs = Math.ceil(window.ms / slicesInWindow);
  return { stepMs, lengthMs: (Math.ceil(window.ms / stepMs) + 1) * stepMs };
}

/** How long before and after a span's start other spans of the window start that count beside it. Zero but for sliding ones. */
export function reachOf(window: Window): number {
  if (window.kind !== 'sliding') return 0;
  const { stepMs, lengthMs } = rhythmOf(window);
  return lengthMs - stepMs;
}

/** Where something taken at `now` counts, and until when. Spans of a sliding window overlap. */
export function spanAt(window: Window, now: number): Span {
  if (window.kind === 'none') return { start: 0, end: Number.POSITIVE_INFINITY };
  const at = Math.floor(now);
  if (window.kind === 'calendar') return calendarSpan(window, at);
  const { stepMs, lengthMs } = rhythmOf(window);
  const start = at - (at % stepMs);
  return { start, end: start + lengthMs };
}

/**
 * Until when a span's counts are kept. Its end would do on a perfect clock; as long again keeps them when a clock is set
 * back across a boundary.
 */
export function forgottenAt({ start, end }: Span): number {
  return end + (end - start);
}
