/**
 * Puts a guard before everything that differs between two runs: clock, randomness, environment, timers, network.
 * A call from a file of the repository is recorded and given a harmless value, so that one run finds every problem;
 * calls from our own packages and from Node itself pass.
 */
import type { FilePosition } from '../findings.ts';
import type { PolicedFiles } from './policed-files.ts';

export interface Impurity {
  what: string;
  readonly position: FilePosition;
}

type Callable = (...parameters: never[]) => unknown;

/** Takes every use without complaint: property, call, `new`, conversion. Stands for a value that nobody can know here. */
export const unknowable: object = new Proxy(function unknowable() {}, {
  get(_target, key) {
    if (key === Symbol.toPrimitive) return () => '1';
    if (key === Symbol.iterator) return function* () {};
    // Otherwise `await` would wait for ever.
    if (key === 'then') return undefined;
    return unknowable;
  },
  set: () => true,
  apply: () => unknowable,
  construct: () => unknowable,
});

const wholeGlobals = [
  'process',
  'crypto',
  'performance',
  'navigator',
  'localStorage',
  'sessionStorage',
  'WeakRef',
  'FinalizationRegistry',
  'Temporal',
];
const functions = [
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'EventSource',
  'BroadcastChannel',
  'MessageChannel',
];

/** Where the guarded thing was reached from, when that is a file of the repository. */
function policedCaller(files: PolicedFiles): FilePosition | undefined {
  // oxlint-disable-next-line typescript/unbound-method -- only put back, never called
  const before = { format: Error.prepareStackTrace, limit: Error.stackTraceLimit };
  const box: { stack?: readonly NodeJS.CallSite[] } = {};
  Error.stackTraceLimit = 16;
  Error.prepareStackTrace = (_error, frames) => frames;
  Error.captureStackTrace(box);
  const frames = box.stack ?? [];
  Error.prepareStackTrace = before.format;
  Error.stackTraceLimit = before.limit;
  // Frames without a file are natives such as `Array.prototype.map`: whoever called those is meant.
  const frame = frames.find((each) => each.getFileName() && each.getFileName() !== import.meta.url);
  const url = frame?.getFileName();
  if (!frame || !url || !files.has(url)) return undefined;
  return { file: files.name(url), line: frame.getLineNumber() ?? 1, column: frame.getColumnNumber() ?? 1 };
}

interface Guard {
  /** The entry when the caller is the repository's; undefined lets the call through. */
  readonly record: (what: string) => Impurity | undefined;
}

/** `process`, `crypto`…: the first property read completes the name in the report. */
function named(entry: Impurity): object {
  return new Proxy(function named() {}, {
    get(_target, key) {
      if (typeof key === 'string' && !entry.what.includes('.')) entry.what += `.${key}`;
      return Reflect.get(unknowable, key) as unknown;
    },
    set: () => true,
    apply: () => unknowable,
    construct: () => unknowable,
  });
}

function guardWhole(name: string, guard: Guard): void {
  const own = Object.getOwnPropertyDescriptor(globalThis, name);
  if (!own) return;
  const get = (): unknown => {
    const entry = guard.record(name);
    if (entry) return named(entry);
    return own.get ? (own.get.call(globalThis) as unknown) : own.value;
  };
  Object.defineProperty(globalThis, name, { configurable: true, enumerable: false, get });
}

/** `instead` is what the repository gets from a call. */
function guardFunction(
  owner: object,
  name: string,
  guard: Guard,
  { what = name, instead = unknowable }: { what?: string; instead?: unknown } = {},
): void {
  const real: unknown = Reflect.get(owner, name);
  if (typeof real !== 'function') return;
  const value = new Proxy(real as Callable, {
    apply: (target, self, parameters): unknown =>
      guard.record(what) ? instead : Reflect.apply(target, self, parameters),
    construct: (target, parameters, newTarget) =>
      guard.record(what) ? unknowable : (Reflect.construct(target, parameters, newTarget) as object),
  });
  Object.defineProperty(owner, name, { configurable: true, writable: true, value });
}

/** Node loads its whole HTTP client when this is merely looked at. Nothing but a configuration would, so a stand-in will do. */
function guardWebSocket(guard: Guard): void {
  const refuse = (): object => {
    guard.record('WebSocket');
    return unknowable;
  };
  const value = new Proxy(function refused() {}, { apply: refuse, construct: refuse });
  // Defining a property anew looks at the one before.
  Reflect.deleteProperty(globalThis, 'WebSocket');
  Object.defineProperty(globalThis, 'WebSocket', { configurable: true, writable: true, value });
}

function guardDate(guard: Guard): void {
  const RealDate = Date;
  guardFunction(RealDate, 'now', guard, { what: 'Date.now', instead: 1 });
  const proxy = new Proxy(RealDate, {
    apply: (target) => (guard.record('Date()') ? '1' : Reflect.apply(target, undefined, [])),
    construct(target, parameters, newTarget) {
      const impure = parameters.length === 0 && guard.record('new Date()') !== undefined;
      return Reflect.construct(target, impure ? [0] : parameters, newTarget) as object;
    },
  });
  RealDate.prototype.constructor = proxy;
  globalThis.Date = proxy;
}

/** Installs the guards; the list grows while the configuration is evaluated. */
export function guardGlobals(files: PolicedFiles): readonly Impurity[] {
  const found: Impurity[] = [];
  const guard: Guard = {
    record(what) {
      const position = policedCaller(files);
      if (!position) return undefined;
      const entry = { what, position };
      found.push(entry);
      return entry;
    },
  };
  for (const name of wholeGlobals) guardWhole(name, guard);
  guardWebSocket(guard);
  for (const name of functions) guardFunction(globalThis, name, guard);
  guardFunction(Math, 'random', guard, { what: 'Math.random', instead: 0.5 });
  guardFunction(Intl, 'DateTimeFormat', guard, { what: 'Intl.DateTimeFormat' });
  guardFunction(AbortSignal, 'timeout', guard, { what: 'AbortSignal.timeout' });
  guardDate(guard);
  return found;
}
