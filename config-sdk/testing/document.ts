/** What the child that runs tests is told, and what it answers. */
import type { FilePosition } from '../findings.ts';
import type { LoadDocument, LoadOrder } from '../load/document.ts';

export interface TestOrder extends Omit<LoadOrder, 'config'> {
  /** Relative to the directory. */
  readonly tests: readonly string[];
}

export interface TestFailure {
  readonly message: string;
  /** In the test. */
  readonly position?: FilePosition;
  /** As text, when it is an expectation that failed. */
  readonly expected?: string;
  readonly actual?: string;
  /** Lines of configuration. */
  readonly decidedBy?: readonly string[];
}

export interface TestResult extends FilePosition {
  readonly name: string;
  readonly failure?: TestFailure;
}

export interface TestDocument extends Pick<LoadDocument, 'impurities' | 'refusedImports'> {
  readonly results: readonly TestResult[];
}

/** Tests run in the process that writes the document and can spoil it. */
export const isTestDocument = (value: unknown): value is TestDocument =>
  typeof value === 'object' &&
  value !== null &&
  ['results', 'impurities', 'refusedImports'].every((key) => Array.isArray((value as Record<string, unknown>)[key]));
