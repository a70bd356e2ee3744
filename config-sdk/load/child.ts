/** The process that evaluates a configuration: started with Node's `--permission`, it answers with lines of JSON: the document, each declaration, and what came of its invariants, on file descriptor 3. */
import { readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DocumentHead, Judging, LoadDocument, LoadFailure, LoadOrder } from './document.ts';
import { policeImports } from './imports.ts';
import { policedFiles } from './policed-files.ts';
import { guardGlobals, unknowable, type Impurity } from './purity.ts';
import { serialise } from './serialise.ts';

// Taken before the guards stand and before any of the repository's code has run.
const realProcess = process;
const toText = JSON.stringify;
const remove = Reflect.deleteProperty;
const prototypes = [Object.prototype, Array.prototype, String.prototype, Number.prototype, Boolean.prototype];

const order = JSON.parse(realProcess.argv[2] ?? '') as LoadOrder;
const files = policedFiles(order);
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const ownIndex = new URL(`../index.${extension}`, import.meta.url).href;
const { refused: refusedImports, loaded, stripAhead } = policeImports(files, { headgate: ownIndex });
const impurities: readonly Impurity[] = guardGlobals(files);

function failureOf(error: unknown): LoadFailure {
  if (!(error instanceof Error))
    return {
      message: `it threw ${typeof error === 'string' ? error : `a value of type ${typeof error}`}`,
      position: undefined,
    };
  const { stack } = error;
  return { message: error.message.split('\n')[0] ?? error.name, position: files.firstIn(stack ?? '') };
}

interface Outcome {
  readonly exported?: { readonly default?: unknown };
  readonly failure?: LoadFailure;
}

function documentOf({ exported, failure }: Outcome): LoadDocument {
  const { declarations, indexes } = serialise(files);
  const index = indexes.get(exported?.default);
  let gateway: LoadDocument['gateway'] = 'failed';
  if (exported && !('default' in exported)) gateway = 'no_default_export';
  else if (exported?.default === unknowable) gateway = 'failed';
  else if (exported) gateway = index !== undefined && declarations[index]?.sort === 'gateway' ? index : 'not_a_gateway';
  return { declarations, gateway, ...(failure && { failure }), impurities, refusedImports, files: [...loaded] };
}

function say(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += writeSync(3, bytes, sent);
}

function tell(judging: Judging): void {
  say(`${toText(judging)}\n`);
}

function answer({ declarations, ...head }: LoadDocument): void {
  // Whatever a configuration has hung there would speak in the place of our own document.
  for (let at = 0; at < prototypes.length; at += 1) remove(prototypes[at] ?? {}, 'toJSON');
  const declared: DocumentHead = { ...head, declared: declarations.length };
  let text = `${toText(declared)}\n`;
  for (let at = 0; at < declarations.length; at += 1) text += `${toText(declarations[at])}\n`;
  say(text);
}

/** Answers. The compiler is slow to load, and only configurations that declare invariants need it here. */
async function conclude(document: LoadDocument): Promise<void> {
  const sound = typeof document.gateway === 'number' && impurities.length + refusedImports.length === 0;
  if (!sound || !document.declarations.some(({ sort }) => sort === 'invariant')) return answer(document);
  const { judgeInvariants } = await import('./judge-invariants.ts');
  let begun = false;
  const broken = judgeInvariants(document, order.directory, (judging, brokenSoFar) => {
    if (!begun) answer(document);
    begun = true;
    tell({ judging, broken: brokenSoFar });
  });
  if (begun) tell({ broken, impurities, refusedImports });
  else answer({ ...document, broken });
}

if (order.ahead) {
  await import(ownIndex);
  for (const name of order.ahead) stripAhead(pathToFileURL(join(order.directory, name)).href);
  // Without a word, there is nobody any more who would hear the answer.
  if (readSync(0, new Uint8Array(1)) === 0) realProcess.exit(0);
}

let answered = false;
realProcess.on('exit', () => {
  if (!answered) answer(documentOf({ failure: { message: 'a top-level await never settles', position: undefined } }));
});
const outcome = await import(pathToFileURL(join(order.directory, order.config)).href).then(
  (exported: { default?: unknown }) => ({ exported }),
  (error: unknown) => ({ failure: failureOf(error) }),
);
answered = true;
await conclude(documentOf(outcome));
realProcess.exit(0);
