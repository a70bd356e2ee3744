/** What the child that runs tests is told, and what it answers. */
import type { FilePosition } from '../findings.ts';
import type { LoadDocument, LoadOrder } from '../load/document.ts';

export interface TestOrder extends Omit<LoadOrder, 'config'> {
  /** Relative to the directory. */
  readonly tests: readonly string[];
  /** How many tests of the first file another process has already run. */
  readonly skip: number;
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

/** A step that begins: a file that is imported, or one of its tests. */
export interface TestStep extends FilePosition {
  readonly name: string;
  /** Which file of the order. */
  readonly fileIndex: number;
  /** Which test of the file; absent while the file itself is imported. */
  readonly testIndex?: number;
}

export type TestEnd = Pick<LoadDocument, 'impurities' | 'refusedImports'>;

/** One line of the answer each, written as it comes: a process that hangs has told by then what it hangs in. */
export type TestReport =
  | { readonly begins: TestStep }
  | { readonly result: TestResult }
  | { readonly finished: TestEnd };

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isResult = (value: unknown): boolean =>
  isRecord(value) &&
  [value['name'], value['file']].every((each) => typeof each === 'string') &&
  [value['line'], value['column']].every((each) => typeof each === 'number');

/** Tests run in the process that writes the reports and can spoil them. */
export const isTestReport = (value: unknown): value is TestReport =>
  isRecord(value) &&
  (isResult(value['result']) ||
    (isResult(value['begins']) && typeof (value['begins'] as TestStep).fileIndex === 'number') ||
    (isRecord(value['finished']) &&
      [value['finished']['impurities'], value['finished']['refusedImports']].every((each) => Array.isArray(each))));
