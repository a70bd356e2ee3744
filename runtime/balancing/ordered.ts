/** Tries members in the order they are written. */
import { asWritten, type Balancer } from './balancer.ts';

export const ordered = asWritten satisfies Balancer;
