/** The contract of a policy kind: one rule over what goes in, free of I/O. */
import type { Call } from '../call.ts';
import type { OutputOf, SchemaMaker } from '../zod.ts';

/** `only`: it passes, to targets whose provider carries these tags. */
export type Verdict =
  | { readonly pass: true; readonly only?: readonly string[] }
  | { readonly pass: false; readonly reason: string };

export interface PolicyKind<Make extends SchemaMaker = SchemaMaker> {
  /** Strict schema of what config may say for this kind, `kind` aside. */
  readonly options: Make;
  /** Built once per generation: anything expensive is prepared here. `reason` in a verdict is shown to the client. */
  prepare(options: OutputOf<Make>): (call: Call) => Verdict;
}
