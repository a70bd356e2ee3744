/** The registry of balancing strategies: the export name is the `kind` in config. */
export { capable } from './capable.ts';
export { cheapest } from './cheapest.ts';
export { fastest } from './fastest.ts';
export { leastBusy } from './least-busy.ts';
export { only } from './only.ts';
export { ordered } from './ordered.ts';
export { roundRobin } from './round-robin.ts';
export { sticky } from './sticky.ts';
export { weighted } from './weighted.ts';
export { when } from './when.ts';
