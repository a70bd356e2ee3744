/** The registry of context strategies: the export name is the `kind` in config. */
export { quantisedCut } from './quantised-cut.ts';
