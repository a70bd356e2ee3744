/** The schema of declared probes: requests that a candidate must see answered before it serves. */
import { z } from 'zod';
import { duration } from './duration.ts';

/** How long a probe may wait: well below the time a candidate has to become ready. */
const probeTimeout = duration(z, 1, 15_000).default(5_000);

export const modelProbe = z.strictObject({
  /** Sent as the user's message. */
  message: z.string().min(1).max(10_000),
  /** Must stand in the answer, in the same case. */
  expect: z.string().min(1).max(10_000).optional(),
  timeout: probeTimeout,
  /** Asked for at most, so that a probe costs next to nothing. */
  maxTokens: z.int().min(1).max(4_096).default(16),
});

export const routeProbe = z.strictObject({
  /** As a client would ask for it: it must lead to this route. */
  path: z.string().regex(/^\/[\x21-\x7e]{0,500}$/, "write a path such as '/orders/health'"),
  method: z.enum(['GET', 'HEAD']).default('GET'),
  expectStatus: z.int().min(100).max(599).default(200),
  timeout: probeTimeout,
});

export type ModelProbe = z.output<typeof modelProbe>;
export type RouteProbe = z.output<typeof routeProbe>;
