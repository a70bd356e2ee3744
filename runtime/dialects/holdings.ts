/**
 * The contract of what a vendor keeps for an account, such as files and batches: requests that name no model and pass between a
 * client and a vendor of the same words. Pure, as dialects are.
 */
import type { JsonObject, Usage } from '../call.ts';

/** A call that stands inside of what is sent. */
export interface EnclosedCall {
  /** Where it would be sent to by itself. */
  readonly path: string;
  readonly body: JsonObject;
}

/** What becomes of the body of such a call. */
export type ChangeCall = (call: EnclosedCall) => JsonObject;

/** One request: always the same on the client's side and on the vendor's. */
export interface HoldingsRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `{id}` stands for the id of one thing. */
  readonly path: string;
  /** It tells of all that the account has, whoever put it there. */
  readonly isList?: boolean;
  /** Without it, nothing is sent. */
  readonly sends?: 'json' | 'form';
  /** Without it, JSON. */
  readonly answers?: 'bytes';
  readonly encloses?: Enclosing;
}

/** Calls inside of a body. */
export interface Enclosing {
  /** In order. Throws `CallError`. */
  callsIn(body: JsonObject): readonly EnclosedCall[];
  /** The same body with other calls in it. */
  withBodies(body: JsonObject, bodies: readonly JsonObject[]): JsonObject;
  /** How a field is called in which the call of an index stands. */
  placeOf(index: number): string;
}

/** Files of which each line is a call: those that a form says are for this purpose. */
export interface CallFiles {
  readonly field: string;
  readonly value: string;
  /** Whether a line looks like one: asked of the first, where the form says only later what its file is for. */
  isCall(line: JsonObject): boolean;
  /** Throws `CallError`. */
  changeCall(line: JsonObject, change: ChangeCall): JsonObject;
}

export interface Holdings {
  readonly name: string;
  readonly requests: readonly HoldingsRequest[];
  /** Fields that hold an id: of what is sent, of answers and of each member of their `data`. Parameters of a query as well. */
  readonly ids: readonly string[];
  /** Fields of answers that hold the address of a request here; `{id}` stands for the id of what has the field. */
  readonly addresses?: Readonly<Record<string, string>>;
  readonly callFiles?: CallFiles;
  /** The usage that one line of what a batch came to tells of. */
  readUsage(line: JsonObject): Usage | undefined;
}
