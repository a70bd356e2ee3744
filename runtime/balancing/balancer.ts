/** The contract of a balancing strategy: in which order the members of a group are tried. */

export interface Balancer {
  /** Must every member of such a group carry a weight? */
  readonly weights: 'required' | 'refused';
  /** How likely each member is to be tried first. The rest follow by the same rule among themselves. */
  chances(weights: readonly number[]): readonly number[];
  /** Every index exactly once, first choice first. `random` gives numbers in [0, 1) and can be seeded. */
  order(weights: readonly number[], random: () => number): readonly number[];
}
