/** Everything that can be said about a repository without serving it: types, schema, rules, purity, all at once. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SnapshotInput } from '@headgate/runtime/snapshot';
import { EnvironmentFault, finding, hasErrors, inOrder, lowered, type FilePosition, type Finding } from './findings.ts';
import type { LoadDocument } from './load/document.ts';
import { configFile, load, type Evaluations, type Loaded, type LoadOptions } from './load/load.ts';
import type { Locator } from './locate.ts';
import { merge, type Compiled } from './merge.ts';
import { credentialsInFiles, unusedFiles } from './repository-files.ts';
import type { Problem } from './rules/rule.ts';
import { redact, secretTexts } from './rules/secrets.ts';
import { safeguardsOf, type Safeguards } from './safeguards.ts';
import type { StandingCompiler } from './standing/compiler.ts';
import { typecheck } from './typecheck.ts';

export interface CheckResult {
  /** In order of place, errors and warnings. */
  readonly findings: readonly Finding[];
  /** Present when there is no error. */
  readonly snapshot: SnapshotInput | undefined;
  /** What holds the configuration itself, beside the snapshot. */
  readonly safeguards?: Safeguards;
  /** The snapshot when all that is wrong is a broken invariant: not to be served, but requests can show the break. */
  readonly unproved?: SnapshotInput | undefined;
  /** Takes credentials that stand in the configuration out of a text that will be shown. */
  readonly redact: (text: string) => string;
}

const start: FilePosition = { file: configFile, line: 1, column: 1 };

function realDirectory(directory: string): string {
  try {
    const real = realpathSync(directory);
    if (statSync(real).isDirectory()) return real;
  } catch (cause) {
    throw new EnvironmentFault(`${directory} cannot be read: ${(cause as Error).message}`, { cause });
  }
  throw new EnvironmentFault(`${directory} is not a directory`);
}

/** What the evaluation itself had to say. `placed` finds an import by its specifier. */
function loadFindings(
  document: LoadDocument,
  sourceLine: (position: FilePosition) => string,
  importOf: (file: string, specifier: string) => FilePosition,
): Finding[] {
  const { impurities, refusedImports, failure, gateway } = document;
  const findings: Finding[] = impurities.map(({ what, position }) => {
    // The engine points at the last name of `Date.now`; a reader looks for the first.
    const owner = what.includes('.') ? `${what.split('.')[0]}.` : '';
    const before = sourceLine(position).slice(0, position.column - 1);
    const column = owner && before.endsWith(owner) ? position.column - owner.length : position.column;
    return finding('impure_code', { ...position, column }, `${what} gives something else on every run or machine`);
  });
  findings.push(
    ...refusedImports.map(({ file, specifier, code, reason }) => finding(code, importOf(file, specifier), reason)),
  );
  // What fails after something was refused most likely fails because of it.
  if (findings.length > 0) return findings;
  if (gateway === 'no_default_export') findings.push(finding(gateway, start, `${configFile} has no default export`));
  if (gateway === 'not_a_gateway')
    findings.push(finding(gateway, start, `the default export of ${configFile} is not a gateway`));
  if (failure) {
    const code = failure.message.endsWith('before initialization') ? 'used_before_declared' : 'config_failed';
    findings.push(finding(code, failure.position ?? start, failure.message));
  }
  return findings;
}

function redactor(secrets: readonly string[]): (text: string) => string {
  // Compilers shorten long texts, so a beginning must go as well as the whole.
  const beginnings = [...new Set(secrets)].filter((secret) => secret.length >= 6);
  return (text) =>
    redact(
      beginnings.reduce((clean, secret) => {
        const at = clean.indexOf(secret.slice(0, 6));
        if (at === -1) return clean;
        let end = at;
        while (end < clean.length && clean[end] === secret[end - at]) end += 1;
        return clean.replaceAll(clean.slice(at, end), '***');
      }, text),
    );
}

function reader(directory: string): (position: FilePosition) => string {
  const files = new Map<string, string[]>();
  return ({ file, line }) => {
    let lines = files.get(file);
    if (!lines) {
      const path = join(directory, file);
      lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
      files.set(file, lines);
    }
    return lines[line - 1] ?? '';
  };
}

/** The parser behind it is slow to load, and a good configuration never needs it. */
const locatorFor = async (directory: string, declarations: LoadDocument['declarations']): Promise<Locator> =>
  (await import('./locate.ts')).createLocator(directory, declarations);

export interface CheckOptions extends LoadOptions {
  /** See `TypecheckOptions`. */
  readonly buildInfo?: string | undefined;
  readonly also?: readonly string[] | undefined;
  /** For a process that checks again and again: where it evaluates, and what may know that there is no type error. */
  readonly evaluations?: Evaluations | undefined;
  readonly compiler?: StandingCompiler | undefined;
}

const noConfig: CheckResult = {
  findings: [finding('no_config', start, `there is no ${configFile} here`)],
  snapshot: undefined,
  redact,
};

async function typeFindings(directory: string, { buildInfo, also, compiler }: CheckOptions): Promise<Finding[]> {
  if (await compiler?.passes()) return [];
  const findings = await typecheck(directory, { buildInfo, also });
  // It saw an error where there is none, or the files have changed in between.
  if (findings.length === 0) compiler?.forget();
  return findings;
}

export async function check(directory: string, options: CheckOptions = {}): Promise<CheckResult> {
  const real = realDirectory(directory);
  if (!existsSync(join(real, configFile))) return noConfig;
  // The rules need no types: they are loaded and asked while the compiler, a process of its own, is still at work.
  const [types, ruled] = await Promise.all([
    typeFindings(real, options),
    (options.evaluations?.load() ?? load(real, options)).then((loaded) => applyRules(real, loaded)),
    import('./compile/compile.ts'),
  ]);
  return conclude(real, types, ruled);
}

/** What compiler, evaluation and rules say, put together. `directory` is a real path. */
export const judge = async (directory: string, types: readonly Finding[], loaded: Loaded): Promise<CheckResult> =>
  conclude(directory, types, await applyRules(directory, loaded));

/** What evaluation and rules alone say. */
async function applyRules(directory: string, loaded: Loaded) {
  if ('fault' in loaded) return loaded;
  const { document } = loaded;
  const { refusedImports, gateway, declarations, files } = document;
  const { compile } = await import('./compile/compile.ts');
  const whole = typeof gateway === 'number' && !document.failure && refusedImports.length === 0;
  // What was not imported because the evaluation stopped is not for that reason left over.
  const { problems, snapshot } = compile(document, directory, whole ? unusedFiles(directory, files) : []);
  const secrets = secretTexts(declarations);
  const strays = credentialsInFiles(directory, files, secrets);
  return { document, whole, problems, snapshot, secrets, strays };
}

async function conclude(
  directory: string,
  types: readonly Finding[],
  ruled: Awaited<ReturnType<typeof applyRules>>,
): Promise<CheckResult> {
  if ('fault' in ruled) {
    const { spot } = await locatorFor(directory, []);
    const loading = [finding(ruled.fault, start, ruled.message)];
    return { findings: inOrder(merge({ types, loading, compiling: [] }, spot)), snapshot: undefined, redact };
  }
  const { document, whole, problems, snapshot, secrets, strays } = ruled;
  const { impurities, declarations } = document;
  const fine = [types, problems, impurities, strays].every(({ length }) => length === 0);
  const safeguards = safeguardsOf(document);
  if (fine && whole) return { findings: [], snapshot, safeguards, redact };

  const { value, importOf, spot } = await locatorFor(directory, declarations);
  const loading = [...loadFindings(document, reader(directory), importOf), ...strays];
  const compiling = problems.map((problem) => located(problem, value));
  const clean = redactor(secrets);
  const findings = inOrder(
    merge({ types, loading, compiling }, spot).map((each) => ({ ...each, message: clean(each.message) })),
  );
  if (!hasErrors(findings)) return { findings, snapshot, safeguards, redact: clean };
  // Where something is wrong, rules keep silent about it, and what excuses them only seems to be left over.
  const certain = findings.filter(({ code }) => code !== 'stale_acceptance');
  const unproved = hasErrors(findings.filter(({ code }) => code !== 'invariant_violated')) ? undefined : snapshot;
  return { findings: certain, snapshot: undefined, unproved, redact: clean };
}

function located({ code, place, message, hint, accepted }: Problem, value: Locator['value']): Compiled {
  const last = 'file' in place ? undefined : place.path.at(-1)?.toString();
  const said = finding(code, 'file' in place ? place : value(place), message, hint);
  return { finding: accepted === undefined ? said : lowered(said, accepted), last };
}
