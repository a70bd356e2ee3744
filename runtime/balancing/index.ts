/** The registry of balancing strategies: the export name is the `kind` in config. */
export { ordered } from './ordered.ts';
export { weighted } from './weighted.ts';
