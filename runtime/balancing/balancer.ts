/** The contract of a balancing strategy: in which order the members of a group are tried. */

export interface Balancer {
  /** Must every member of such a group carry a weight? */
  readonly weights: 'required' | 'refused';
  /** Every index exactly once, first choice first. `random` gives numbers in [0, 1) and can be seeded. */
  order(weights: readonly number[], random: () => number): readonly number[];
}
