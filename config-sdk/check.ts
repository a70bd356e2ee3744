/** Everything that can be said about a repository without serving it: types, schema, rules, purity, all at once. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SnapshotInput } from '@headgate/runtime/snapshot';
import { compile } from './compile/compile.ts';
import {
  EnvironmentFault,
  finding,
  hasErrors,
  inOrder,
  type FilePosition,
  type Finding,
  type FindingCode,
} from './findings.ts';
import type { LoadDocument } from './load/document.ts';
import { configFile, load, type LoadOptions } from './load/load.ts';
import type { Locator } from './locate.ts';
import type { Problem } from './rules/rule.ts';
import { redact, secretTexts } from './rules/secrets.ts';
import { typecheck } from './typecheck.ts';

export interface CheckResult {
  /** In order of place, errors and warnings. */
  readonly findings: readonly Finding[];
  /** Present when there is no error. */
  readonly snapshot: SnapshotInput | undefined;
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

const placeText = ({ file, line }: FilePosition): string => `${file}:${line}`;

/** What the evaluation itself had to say. `placed` finds an import by its specifier. */
function loadFindings(
  document: LoadDocument,
  sourceLine: (position: FilePosition) => string,
  locator: () => Locator,
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
    ...refusedImports.map(({ file, specifier, code, reason }) =>
      finding(code, locator().importOf(file, specifier), reason),
    ),
  );
  // What fails after something was refused most likely fails because of it.
  if (findings.length > 0) return findings;
  if (gateway === 'no_default_export') findings.push(finding(gateway, start, `${configFile} has no default export`));
  if (gateway === 'not_a_gateway')
    findings.push(finding(gateway, start, `the default export of ${configFile} is not a gateway`));
  if (failure) findings.push(finding('config_failed', failure.position ?? start, failure.message));
  return findings;
}

/** Names that only exist where configuration may not look; the compiler just calls them unknown. */
const impureNames =
  /^Cannot find name '(process|crypto|performance|navigator|fetch|setTimeout|setInterval|setImmediate|WebSocket|EventSource|require|Buffer|__dirname|__filename|node:[\w/]+)'/;

/** Says of a compiler finding what it means for configuration. */
function inOurWords(each: Finding): Finding {
  const name = impureNames.exec(each.message)?.[1];
  if (!name) return each;
  if (name.startsWith('node:')) return finding('impure_import', each, `'${name}' is not part of this repository`);
  return finding('impure_code', each, `${name} gives something else on every run or machine`);
}

interface Said {
  readonly types: readonly Finding[];
  readonly loading: readonly Finding[];
  readonly compiling: readonly Finding[];
}

/** Codes that say more than the compiler or the schema does about the same line. */
const outspoken = new Set(['impure_import', 'impure_code', 'plaintext_key', 'secret_literal']);
/** What the schema says; it is the shadow of something outspoken on the same line. */
const bySchema = new Set(['invalid_value', 'missing_value', 'unknown_property', 'wrong_reference', 'not_data']);
/** Codes for what the compiler cannot know. The rest, on a line that it objects to, repeats its objection. */
const beyondTypes = new Set<string>([
  'bad_name',
  'consumer_without_keys',
  'context_does_not_fit',
  'duplicate_key',
  'duplicate_name',
  'machine_path',
  'model_without_consumer',
  'no_consumers',
  'not_served',
  'route_never_matches',
  'route_shadowed',
  'strip_prefix_mismatch',
  'unused_declaration',
] satisfies FindingCode[]);

/** One mistake, one finding: of two that speak of the same line, the more telling one stays. */
function merge({ types, loading, compiling }: Said): Finding[] {
  const ours = [...loading, ...compiling];
  const loud = new Set(ours.filter(({ code }) => outspoken.has(code)).map(placeText));
  const said = types.map(inOurWords).filter((each) => !loud.has(placeText(each)));
  const theirs = new Set(said.map(placeText));
  const rest = ours.filter((each) => {
    if (outspoken.has(each.code)) return true;
    if (bySchema.has(each.code) && loud.has(placeText(each))) return false;
    return beyondTypes.has(each.code) || !theirs.has(placeText(each));
  });
  return [...said, ...rest];
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

export interface CheckOptions extends LoadOptions {
  /** See `TypecheckOptions`. */
  readonly buildInfo?: string | undefined;
}

export async function check(directory: string, options: CheckOptions = {}): Promise<CheckResult> {
  const real = realDirectory(directory);
  if (!existsSync(join(real, configFile))) {
    return { findings: [finding('no_config', start, `there is no ${configFile} here`)], snapshot: undefined, redact };
  }
  const [types, loaded] = await Promise.all([typecheck(real, { buildInfo: options.buildInfo }), load(real, options)]);
  if ('fault' in loaded) {
    const findings = merge({ types, loading: [finding(loaded.fault, start, loaded.message)], compiling: [] });
    return { findings: inOrder(findings), snapshot: undefined, redact };
  }
  const { document } = loaded;
  const { problems, snapshot } = compile(document, real);
  const needed = problems.some(({ place }) => place.path.length > 0) || document.refusedImports.length > 0;
  const locator = needed ? (await import('./locate.ts')).createLocator(real, document.declarations) : undefined;
  const position = ({ place }: Problem): FilePosition =>
    locator?.value(place) ?? document.declarations[place.declaration]?.position ?? start;
  const compiling = problems.map((each) => finding(each.code, position(each), each.message, each.hint));
  const loading = loadFindings(document, reader(real), () => {
    if (!locator) throw new Error('refused imports need a locator');
    return locator;
  });
  const clean = redactor(secretTexts(document.declarations));
  const findings = inOrder(
    merge({ types, loading, compiling }).map((each) => ({ ...each, message: clean(each.message) })),
  );
  return { findings, snapshot: hasErrors(findings) ? undefined : snapshot, redact: clean };
}
