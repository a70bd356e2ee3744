/** What the type checker knows of one model of the catalogue: names and a number, so that messages stay short. */

export interface Known<Window extends number, Traits extends string> {
  readonly window: Window;
  /** Its kind, its capabilities, and `priced` when its price is known. */
  readonly traits: Traits;
}
