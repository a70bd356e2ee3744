/** An expectation that does not hold. */

export interface Difference {
  readonly expected: unknown;
  readonly actual: unknown;
  /** The lines of configuration that decided otherwise: `collection.name` and `file:line:column`. */
  readonly decidedBy?: readonly string[];
}

export class ExpectationFailed extends Error {
  readonly difference: Difference;

  constructor(message: string, difference: Difference) {
    super(message);
    this.name = 'ExpectationFailed';
    this.difference = difference;
  }
}
