/** Remembers where each object was declared, so that a finding points at file, line and column without a parser. */

export interface Site {
  /** `file:` URL, as the engine reports it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The sorts of objects a repository declares. */
export type Sort =
  | 'provider'
  | 'target'
  | 'group'
  | 'model'
  | 'prompt'
  | 'bound-prompt'
  | 'context-policy'
  | 'policy'
  | 'quota'
  | 'consumer'
  | 'issuer'
  | 'team'
  | 'organisation'
  | 'upstream'
  | 'route'
  | 'invariant'
  | 'gateway';

export interface Declaration {
  readonly sort: Sort;
  /** Empty for sorts without a name of their own. */
  readonly id: string;
  readonly spec: unknown;
  readonly handle: object;
  readonly site: Site;
}

const declarations = new Map<object, Declaration>();

/** Everything declared since the process started, in order of declaration. */
export function declared(): ReadonlyMap<object, Declaration> {
  return declarations;
}

/** Records `handle` as declared by whoever called `factory`. */
export function declare<Handle extends { readonly kind: Sort }>(
  factory: (...parameters: never[]) => unknown,
  id: string,
  spec: unknown,
  handle: Handle,
): Handle {
  declarations.set(handle, { sort: handle.kind, id, spec, handle, site: callSite(factory) });
  return handle;
}

/** Where `factory` was called. */
export function callSite(factory: (...parameters: never[]) => unknown): Site {
  // oxlint-disable-next-line typescript/unbound-method -- only put back, never called
  const before = { format: Error.prepareStackTrace, limit: Error.stackTraceLimit };
  const box: { stack?: NodeJS.CallSite } = {};
  Error.stackTraceLimit = 1;
  Error.prepareStackTrace = (_error, frames) => frames[0];
  Error.captureStackTrace(box, factory);
  // The engine formats lazily: it must be read while our formatter is in place.
  const frame = box.stack;
  Error.prepareStackTrace = before.format;
  Error.stackTraceLimit = before.limit;
  return { file: frame?.getFileName() ?? '', line: frame?.getLineNumber() ?? 0, column: frame?.getColumnNumber() ?? 0 };
}
