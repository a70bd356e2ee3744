/** Who sees a new revision first: decided by names alone, so that all replicas agree without asking each other. */
import { createHash } from 'node:crypto';

/** The first 48 bits of a digest: as many as a number holds exactly, with room to spare. */
const bits = 48;

/**
 * Where `consumer` stands in the queue for the artifact `commit`, from 0 up to but not including 1. Another commit shuffles
 * the queue anew: the same few are not the first each time.
 */
export function placeInQueue(consumer: string, commit: string): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([commit, consumer]))
    .digest();
  return digest.readUIntBE(0, bits / 8) / 2 ** bits;
}

/** Whether `consumer` is among the first `share` of the queue: whoever is in a small share is in every larger one. */
export const isInCohort = (consumer: string, commit: string, share: number): boolean =>
  placeInQueue(consumer, commit) < share;
