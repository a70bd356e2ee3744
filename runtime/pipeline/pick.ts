/** Which revision is to answer? The one that serves, unless a staged rollout has two of them serve. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Generation } from '../generation/generation.ts';
import type { Staging } from '../generation/staging.ts';
import { consumerOf } from './credentials.ts';

export function pick(
  { current, staging }: { readonly current: Generation; readonly staging: Staging | undefined },
  headers: IncomingHttpHeaders,
): Generation {
  if (!staging) return current;
  const { candidate, others } = staging;
  const consumer = consumerOf(others.tables, headers);
  const isKnownToCandidate = consumerOf(candidate.tables, headers) !== undefined;
  // A key that the candidate brings works at once, and one that it revokes is refused at once: it will not know it.
  if (!consumer) return isKnownToCandidate ? candidate : others;
  return !isKnownToCandidate || staging.has(consumer.name) ? candidate : others;
}
