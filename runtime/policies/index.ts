/** The registry of policy kinds: the export name is the `kind` in config. */
export { blockTerms } from './block-terms.ts';
export { confineTerms } from './confine-terms.ts';
