/** How long until the next poll: the interval with some jitter, longer and fully jittered after failures. */

const longestFactor = 10;
const longestMs = 600_000;

export interface Waiting {
  readonly intervalMs: number;
  readonly consecutiveErrors: number;
  /** What the remote asked for. */
  readonly retryAfterMs: number | undefined;
  readonly random: () => number;
}

export function nextPollMs({ intervalMs, consecutiveErrors, retryAfterMs, random }: Waiting): number {
  // Replicas that started together must not stay together; short intervals are for people and stay exact.
  if (consecutiveErrors === 0) return intervalMs < 10_000 ? intervalMs : intervalMs * (0.8 + 0.4 * random());
  const factor = Math.min(longestFactor, 2 ** (consecutiveErrors - 1));
  const backedOff = Math.min(longestMs, intervalMs * (1 + random() * (factor - 1)));
  return Math.max(backedOff, Math.min(retryAfterMs ?? 0, longestMs));
}
