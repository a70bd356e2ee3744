/** What the evaluating child process tells: everything that was declared, as plain data with markers for what is not. */
import type { Asked } from '@headgate/runtime/graph';
import type { FilePosition } from '../findings.ts';
import type { Sort } from '../site.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A declared object, by its index in `LoadDocument.declarations`. */
export const handleMark = '$handle';
/** What an impure call or refused import gave: problems with it would only repeat the first one. */
export const unknownMark = '$unknown';
/** A value without a JSON form; the text says what it is. */
export const notDataMark = '$notData';

export interface LoadedDeclaration {
  readonly sort: Sort;
  readonly id: string;
  readonly spec: Json;
  /** The handle's own texts: the provider of a target, the prompt of a bound prompt, the strategy of a group. */
  readonly facts: Readonly<Record<string, string>>;
  readonly position: FilePosition;
}

export interface RefusedImport {
  readonly file: string;
  readonly specifier: string;
  readonly code: 'impure_import' | 'import_not_found';
  readonly reason: string;
}

export interface LoadFailure {
  readonly message: string;
  readonly position: FilePosition | undefined;
}

/** A path that breaks an invariant. */
export interface BrokenPath {
  readonly consumer: string;
  readonly sort: 'model' | 'route' | 'files';
  readonly entry: string;
  readonly end: string;
  readonly fallback: boolean;
  /** What was said of the requests that take it. */
  readonly given?: Asked;
}

export interface BrokenInvariant {
  /** Index of its declaration. */
  readonly declaration: number;
  /** How many paths break it; 0 where it did not say. */
  readonly paths: number;
  readonly path?: BrokenPath;
  /** Why it could not be judged. */
  readonly failure?: string;
}

export interface LoadDocument {
  readonly declarations: readonly LoadedDeclaration[];
  /** Index of the default export; otherwise why there is none. */
  readonly gateway: number | 'no_default_export' | 'not_a_gateway' | 'failed';
  readonly failure?: LoadFailure;
  readonly impurities: readonly { readonly what: string; readonly position: FilePosition }[];
  readonly refusedImports: readonly RefusedImport[];
  /** Files of the repository that were imported, the configuration itself included. */
  readonly files: readonly string[];
  /** Absent where nothing was declared to hold. */
  readonly broken?: readonly BrokenInvariant[];
}

/** The document without its declarations, which follow in as many lines: one that reads as before need not be read again. */
export interface DocumentHead extends Omit<LoadDocument, 'declarations'> {
  readonly declared: number;
}

/** What follows below the declarations, a line each, while invariants are judged: the last one counts. */
export interface Judging extends Partial<Pick<LoadDocument, 'impurities' | 'refusedImports'>> {
  readonly broken: readonly BrokenInvariant[];
  /** Index of the declaration that is judged now; absent at the end. */
  readonly judging?: number;
}

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const isShaped = (value: unknown, shape: Shape): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(shape).every(([key, holds]) => holds((value as Record<string, unknown>)[key]));
const listOf =
  (shape: Shape) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every((each) => isShaped(each, shape));

const isTexts = (value: unknown): boolean =>
  value === undefined || (isShaped(value, {}) && Object.values(value as object).every(isText));
const isFlag = (value: unknown): boolean => value === undefined || typeof value === 'boolean';
const asked: Shape = { headers: isTexts, metadata: isTexts, stream: isFlag, tools: isFlag, images: isFlag };
const isPosition = (value: unknown): boolean => isShaped(value, { file: isText, line: isNumber, column: isNumber });
const isBroken = listOf({
  declaration: isNumber,
  paths: isNumber,
  path: (value) =>
    value === undefined ||
    isShaped(value, {
      consumer: isText,
      sort: isText,
      entry: isText,
      end: isText,
      given: (given) => given === undefined || isShaped(given, asked),
    }),
  failure: (value) => value === undefined || isText(value),
});
const declarationShape: Shape = {
  sort: isText,
  id: isText,
  spec: (value) => value !== undefined,
  facts: (value) => isShaped(value, {}) && Object.values(value as object).every(isText),
  position: isPosition,
};
const seenDeclarations = new WeakSet<object>();
function isDeclaration(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (seenDeclarations.has(value)) return true;
  if (!isShaped(value, declarationShape)) return false;
  seenDeclarations.add(value);
  return true;
}

const documentShape: Shape = {
  declarations: (value) => Array.isArray(value) && value.every(isDeclaration),
  gateway: (value) =>
    isNumber(value) || ['no_default_export', 'not_a_gateway', 'failed'].some((each) => each === value),
  failure: (value) => value === undefined || isShaped(value, { message: isText }),
  impurities: listOf({ what: isText, position: isPosition }),
  refusedImports: listOf({ file: isText, specifier: isText, code: isText, reason: isText }),
  files: (value) => Array.isArray(value) && value.every(isText),
  broken: (value) => value === undefined || isBroken(value),
};

/** Configuration runs in the process that writes the document and can spoil it: it is read as what a stranger says. */
export const isLoadDocument = (value: unknown): value is LoadDocument => isShaped(value, documentShape);

/** What the parent tells the child. */
export interface LoadOrder {
  /** Real path of the repository's directory. */
  readonly directory: string;
  /** File name of the configuration inside it. */
  readonly config: string;
  /** Directories of our own packages: never policed, even when they lie inside the repository. */
  readonly packages: readonly string[];
  /** Present: it waits until its standard input says something, and may look at these files meanwhile. */
  readonly ahead?: readonly string[];
}
