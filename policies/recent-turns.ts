/** Keeps long conversations inside the window: the oldest turns go, in large steps that vendors' prompt caches survive. */
import { contextPolicy } from 'headgate';

export const recentTurns = contextPolicy('recent-turns', {
  kind: 'quantisedCut',
  // Input tokens to stay below; the smallest window among a model's targets counts too.
  target: 6_000,
  reserveOutput: 1_000,
  // Cut at the full budget, down to 60 % of it.
  high: '100%',
  low: '60%',
});
