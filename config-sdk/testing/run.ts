/** Runs the tests of a repository: checks its configuration and its tests, then decides what they ask in a confined process. */
import { globSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { check, type CheckResult } from '../check.ts';
import { EnvironmentFault, finding, inOrder, type Finding } from '../findings.ts';
import { errorLineIn, runRestricted } from '../load/restricted-child.ts';
import { createLocator } from '../locate.ts';
import { fromSource, ownPackages } from '../own-packages.ts';
import { isTestDocument, type TestDocument, type TestOrder, type TestResult } from './document.ts';

export const testFiles = 'tests/**/*.test.ts';

export interface TestRun extends Pick<CheckResult, 'findings' | 'redact'> {
  /** Undefined when nothing could be run, and the findings say why. */
  readonly results: readonly TestResult[] | undefined;
  readonly ms: number;
}

export interface RunOptions {
  /** See `TypecheckOptions`. */
  readonly buildInfo?: string;
  readonly timeoutMs?: number;
}

type Ran = { readonly document: TestDocument } | { readonly broken: string };

async function runChild(order: TestOrder, snapshot: object, timeoutMs: number): Promise<Ran> {
  const script = fileURLToPath(new URL(`./child.${fromSource ? 'ts' : 'js'}`, import.meta.url));
  const { directory } = order;
  const input = JSON.stringify(snapshot);
  const { answer, errors, ended, timedOut } = await runRestricted({
    script,
    directory,
    order,
    input,
    timeoutMs,
    noise: 'stderr',
  });
  if (timedOut) return { broken: `the tests took longer than ${timeoutMs / 1_000} s` };
  try {
    const document: unknown = JSON.parse(answer);
    if (isTestDocument(document)) return { document };
  } catch {
    // It ended before it had said anything: how it ended says more.
  }
  const last = errorLineIn(errors);
  return { broken: `the tests ended with ${ended} and no result${last && `: ${last}`}` };
}

/** Tests are as pure as what they test: the same today and tomorrow, here and in CI. */
function impureFindings({ impurities, refusedImports }: TestDocument, directory: string): Finding[] {
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
  { buildInfo, timeoutMs = 60_000 }: RunOptions = {},
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
  const ran = await runChild({ directory: real, packages: ownPackages, tests }, snapshot, timeoutMs);
  if ('broken' in ran) throw new EnvironmentFault(ran.broken);
  const { results, impurities, refusedImports } = ran.document;
  const impure = impurities.length + refusedImports.length > 0 ? impureFindings(ran.document, real) : [];
  return done(inOrder([...findings, ...impure]), results);
}
