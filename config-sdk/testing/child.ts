/** The process that runs a repository's tests: confined like the one that evaluates configuration, it answers with one JSON document on file descriptor 3. */
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { openDecider, type Decider } from '@headgate/runtime/decide';
import { policeImports } from '../load/imports.ts';
import { policedFiles } from '../load/policed-files.ts';
import { guardGlobals } from '../load/purity.ts';
import type { TestDocument, TestFailure, TestOrder, TestResult } from './document.ts';
import { ExpectationFailed } from './expectation.ts';
import { DecidedGateway } from './gateway.ts';
import { registered, type Registered } from './registry.ts';

// Taken before the guards stand and before any of the repository's code has run.
const realProcess = process;
const toText = JSON.stringify;

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
  const { expected, actual, decidedBy } = error.difference;
  const sides = { expected: asText(expected), actual: asText(actual) };
  return { message: error.message, ...place, ...sides, ...(decidedBy && { decidedBy }) };
}

async function outcomeOf({ name, body, site }: Registered, opened: Decider): Promise<TestResult> {
  const { line, column } = site;
  const result = { name: String(name), file: files.has(site.file) ? files.name(site.file) : '', line, column };
  try {
    await body({ gateway: new DecidedGateway(opened) });
    return result;
  } catch (error) {
    return { ...result, failure: failureOf(error) };
  }
}

const results: TestResult[] = [];
for (const file of order.tests) {
  const before = registered().length;
  try {
    await import(pathToFileURL(join(order.directory, file)).href);
  } catch (error) {
    results.push({ name: 'the file can be run', file, line: 1, column: 1, failure: failureOf(error) });
  }
  for (const each of registered().slice(before)) results.push(await outcomeOf(each, decider));
}
const document: TestDocument = { results, impurities, refusedImports };
const bytes = new TextEncoder().encode(toText(document));
for (let sent = 0; sent < bytes.length;) sent += writeSync(3, bytes, sent);
realProcess.exit(0);
