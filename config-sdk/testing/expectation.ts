/** An expectation that does not hold. */

export interface Difference {
  readonly expected: unknown;
  readonly actual: unknown;
  /** The lines of configuration that decided otherwise: `collection.name` and `file:line:column`. */
  readonly decidedBy?: readonly string[];
}

export class ExpectationFailed extends Error {
  /** Absent where nothing was compared. */
  readonly difference: Difference | undefined;

  constructor(message: string, difference?: Difference) {
    super(message);
    this.name = 'ExpectationFailed';
    this.difference = difference;
  }
}
