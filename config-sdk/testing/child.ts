/** The process that runs a repository's tests: confined like the one that evaluates configuration, it tells each step as it comes, one JSON document a line, on file descriptor 3. */
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { openDecider } from '@headgate/runtime/decide';
import { policeImports } from '../load/imports.ts';
import { policedFiles } from '../load/policed-files.ts';
import { guardGlobals } from '../load/purity.ts';
import type { TestFailure, TestOrder, TestReport, TestStep } from './document.ts';
import { ExpectationFailed } from './expectation.ts';
import { DecidedGateway } from './gateway.ts';
import { registered, type Registered } from './registry.ts';

// Taken before the guards stand and before any of the repository's code has run.
const realProcess = process;
const toText = JSON.stringify;
const soon = setImmediate;

const order = JSON.parse(realProcess.argv[2] ?? '') as TestOrder;
const decider = await openDecider(JSON.parse(readFileSync(0, 'utf8')) as Parameters<typeof openDecider>[0]);
const files = policedFiles(order);
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const addressOf = (name: string) => new URL(`${name}.${extension}`, import.meta.url).href;
const { refused: refusedImports } = policeImports(files, {
  headgate: addressOf('../index'),
  'headgate/test': addressOf('./index'),
});
const impurities = guardGlobals(files);

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : inspect(value, { depth: 6, breakLength: 100, maxArrayLength: 200 });

function failureOf(error: unknown): TestFailure {
  if (!(error instanceof Error)) return { message: `it threw ${asText(error)}` };
  const position = files.firstIn(error.stack ?? '');
  const place = position && { position };
  if (!(error instanceof ExpectationFailed)) return { message: `${error.name}: ${error.message}`, ...place };
  if (!error.difference) return { message: error.message, ...place };
  const { expected, actual, decidedBy } = error.difference;
  const sides = { expected: asText(expected), actual: asText(actual) };
  return { message: error.message, ...place, ...sides, ...(decidedBy && { decidedBy }) };
}

function tell(report: TestReport): void {
  const bytes = new TextEncoder().encode(`${toText(report)}\n`);
  for (let sent = 0; sent < bytes.length;) sent += writeSync(3, bytes, sent);
}

/** Ends the step that runs, from outside of what it waits for. */
let interrupt: (error: unknown) => void = () => undefined;
realProcess.on('unhandledRejection', (error) => interrupt(error));
realProcess.on('uncaughtException', (error) => interrupt(error));
realProcess.on('beforeExit', () => {
  // Keeps the process alive for the steps after this one.
  soon(() => interrupt(new ExpectationFailed('it never settles: it waits for what does not happen')));
});

/** What a step began and did not await fails before the next turn, and so is not held against the step after it. */
const turn = (): Promise<void> => new Promise((resolve) => soon(resolve));

async function run(step: TestStep, work: () => Promise<void>): Promise<void> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  interrupted.catch(() => undefined);
  interrupt = reject;
  tell({ begins: step });
  const { fileIndex: _file, testIndex, ...result } = step;
  try {
    await Promise.race([interrupted, work()]);
    await Promise.race([interrupted, turn()]);
    if (testIndex !== undefined) tell({ result });
  } catch (error) {
    await turn();
    tell({ result: { ...result, failure: failureOf(error) } });
  }
}

async function runBody({ body }: Registered): Promise<void> {
  const gateway = new DecidedGateway(decider);
  // Only what is a promise is awaited: one turn later, a request that nobody waits for may have been decided.
  const running = body({ gateway });
  if (running !== undefined) await running;
  const { unanswered } = gateway;
  if (unanswered === 0) return;
  const what = unanswered === 1 ? 'a request was' : `${unanswered} requests were`;
  throw new ExpectationFailed(`it ended before ${what} decided: write await before it`);
}

for (const [fileIndex, file] of order.tests.entries()) {
  const before = registered().length;
  const skip = fileIndex === 0 ? order.skip : 0;
  await run({ name: 'the file can be run', file, line: 1, column: 1, fileIndex }, async () => {
    try {
      await import(pathToFileURL(join(order.directory, file)).href);
    } catch (error) {
      // Whoever ran the tests before has told it.
      if (skip === 0) throw error;
    }
  });
  for (const [testIndex, each] of registered().slice(before).entries()) {
    if (testIndex < skip) continue;
    const { line, column, file: url } = each.site;
    const place = { file: files.has(url) ? files.name(url) : file, line, column };
    await run({ name: String(each.name), ...place, fileIndex, testIndex }, () => runBody(each));
  }
}
tell({ finished: { impurities, refusedImports } });
realProcess.exit(0);
