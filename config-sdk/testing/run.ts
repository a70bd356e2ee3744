/** Runs the tests of a repository: checks its configuration and its tests, then decides what they ask in a confined process. */
import { globSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { check, type CheckResult } from '../check.ts';
import { EnvironmentFault, finding, inOrder, type Finding } from '../findings.ts';
import { errorLineIn, runRestricted } from '../load/restricted-child.ts';
import { createLocator } from '../locate.ts';
import { fromSource, ownPackages } from '../own-packages.ts';
import { isTestReport, type TestEnd, type TestOrder, type TestResult, type TestStep } from './document.ts';

export const testFiles = 'tests/**/*.test.ts';

export interface TestRun extends Pick<CheckResult, 'findings' | 'redact'> {
  /** Undefined when nothing could be run, and the findings say why. */
  readonly results: readonly TestResult[] | undefined;
  readonly ms: number;
}

export interface RunOptions {
  /** See `TypecheckOptions`. */
  readonly buildInfo?: string;
  /** Longest time that one test may take. */
  readonly timeoutMs?: number;
}

interface Account {
  readonly results: readonly TestResult[];
  /** What the process was at when it ended. */
  readonly open: TestStep | undefined;
  readonly end: TestEnd | undefined;
}

function accountOf(answer: string): Account {
  const results: TestResult[] = [];
  let open: TestStep | undefined;
  let end: TestEnd | undefined;
  for (const line of answer.split('\n')) {
    let report: unknown;
    try {
      report = JSON.parse(line);
    } catch {
      // The last line of a process that was ended may be cut off.
      continue;
    }
    if (!isTestReport(report)) continue;
    open = 'begins' in report ? report.begins : undefined;
    if ('result' in report) results.push(report.result);
    if ('finished' in report) end = report.finished;
  }
  return { results, open, end };
}

/** What is left to run after a step that took its process along. */
function after(order: TestOrder, { fileIndex, testIndex }: TestStep): TestOrder {
  if (testIndex === undefined) return { ...order, tests: order.tests.slice(fileIndex + 1), skip: 0 };
  return { ...order, tests: order.tests.slice(fileIndex), skip: testIndex + 1 };
}

/** One process runs all; after a test that takes it along, another one runs the rest. */
async function runAll(order: TestOrder, input: string, timeoutMs: number): Promise<TestEnd & Pick<Account, 'results'>> {
  const script = fileURLToPath(new URL(`./child.${fromSource ? 'ts' : 'js'}`, import.meta.url));
  const { directory } = order;
  const child = { script, directory, input, timeoutMs, timeoutFrom: 'answer', noise: 'stderr' } as const;
  const results: TestResult[] = [];
  let rest = order;
  while (rest.tests.length > 0) {
    const { answer, errors, ended, timedOut } = await runRestricted({ ...child, order: rest });
    const account = accountOf(answer);
    results.push(...account.results);
    if (account.end) return { ...account.end, results };
    const last = errorLineIn(errors);
    const how = timedOut
      ? `took longer than ${timeoutMs / 1_000} s and was ended`
      : `ended with ${ended} and no result${last && `: ${last}`}`;
    if (!account.open) throw new EnvironmentFault(`the process of the tests ${how}`);
    const { fileIndex: _file, testIndex: _test, ...step } = account.open;
    results.push({ ...step, failure: { message: `it ${how}` } });
    rest = after(rest, account.open);
  }
  return { results, impurities: [], refusedImports: [] };
}

/** Tests are as pure as what they test: the same today and tomorrow, here and in CI. */
function impureFindings({ impurities, refusedImports }: TestEnd, directory: string): Finding[] {
  const { importOf } = createLocator(directory, []);
  return [
    ...impurities.map(({ what, position }) =>
      finding('impure_code', position, `${what} gives something else on every run or machine`),
    ),
    ...refusedImports.map(({ file, specifier, code, reason }) => finding(code, importOf(file, specifier), reason)),
  ];
}

/** Rejects with `EnvironmentFault` when the process for the tests fails as such. */
export async function runTests(
  directory: string,
  { buildInfo, timeoutMs = 20_000 }: RunOptions = {},
): Promise<TestRun> {
  const began = performance.now();
  const tests = globSync(testFiles, { cwd: directory, exclude: (name) => name === 'node_modules' })
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
  const { findings, snapshot, redact } = await check(directory, { buildInfo, also: tests });
  const done = (found: readonly Finding[], results?: readonly TestResult[]): TestRun => ({
    findings: found,
    redact,
    results,
    ms: performance.now() - began,
  });
  if (!snapshot) return done(findings);
  if (tests.length === 0) return done(findings, []);
  const real = realpathSync(directory);
  const order: TestOrder = { directory: real, packages: ownPackages, tests, skip: 0 };
  const { results, ...end } = await runAll(order, JSON.stringify(snapshot), timeoutMs);
  const isImpure = end.impurities.length + end.refusedImports.length > 0;
  return done(inOrder([...findings, ...(isImpure ? impureFindings(end, real) : [])]), results);
}
