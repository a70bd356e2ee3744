/** How long is waited before the same target is tried again. */

const firstPauseMs = 100;
export const longestPauseMs = 5_000;

/** Full jitter, so that many clients do not come back at the same moment. */
export const pauseMs = (tried: number, random: () => number): number =>
  random() * Math.min(longestPauseMs, firstPauseMs * 2 ** tried);
