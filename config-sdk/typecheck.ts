/** Runs the TypeScript compiler over a configuration, as a process and with our own settings, whatever the team's tsconfig says. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inPlainWords } from './compiler-words.ts';
import { EnvironmentFault, type Finding } from './findings.ts';
import { configFile } from './load/load.ts';
import { policedFiles } from './load/policed-files.ts';
import { conditions, fromSource, ownDirectory, ownPackages } from './own-packages.ts';

const most = { lines: 3, characters: 400 };

/** Read as ES modules either way; only with `"type": "module"` does the compiler's Node mode agree. */
function moduleSettings(directory: string): object {
  const file = join(directory, 'package.json');
  let type: unknown;
  try {
    type = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown }).type : undefined;
  } catch {
    // A package.json that is no JSON decides nothing here; npm will complain.
  }
  return type === 'module'
    ? { module: 'nodenext', moduleResolution: 'nodenext' }
    : { module: 'esnext', moduleResolution: 'bundler' };
}

function settings(directories: readonly string[], { buildInfo, also = [] }: TypecheckOptions): object {
  const declared = (name: string) => join(ownDirectory, fromSource ? `${name}.ts` : `dist/${name}.d.ts`);
  return {
    compilerOptions: {
      strict: true,
      noEmit: true,
      ...(buildInfo && { incremental: true, tsBuildInfoFile: buildInfo }),
      target: 'es2024',
      lib: ['es2024'],
      types: [],
      ...moduleSettings(directories[0] ?? ''),
      ...(conditions.length > 0 && { customConditions: conditions }),
      // The SDK that checks is the SDK that is checked against.
      paths: { headgate: [declared('index')], 'headgate/test': [declared('testing/index')] },
      resolveJsonModule: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      allowJs: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: true,
      forceConsistentCasingInFileNames: true,
    },
    files: [
      ...directories.flatMap((each) => [configFile, ...also].map((name) => join(each, name))),
      join(ownDirectory, 'ambient.d.ts'),
    ],
  };
}

/** What the compiler is told of one configuration. `directory` is a real path. */
export const projectFor = (directory: string): object => settings([directory], {});

/** Every diagnostic with a place: its first line taken apart, and the indented lines that continue its text. */
function diagnosticsIn(output: string): { head: RegExpExecArray; text: string[] }[] {
  const found: { head: RegExpExecArray; text: string[] }[] = [];
  for (const line of output.split(/\r?\n/)) {
    const head = /^(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/.exec(line);
    if (head) found.push({ head, text: [head[5] ?? ''] });
    else if (/^\s+\S/.test(line)) found.at(-1)?.text.push(line.trim());
  }
  return found;
}

function shorten(lines: readonly string[]): string {
  const text = lines.slice(0, most.lines).join(' ');
  return text.length > most.characters ? `${text.slice(0, most.characters - 1)}…` : text;
}

/** The diagnostics in the repository's own files; `directory` is a real path. Paths in `output` are relative to `cwd`. */
export function parseDiagnostics(output: string, directory: string, cwd = directory): Finding[] {
  const files = policedFiles({ directory, packages: ownPackages });
  return diagnosticsIn(output).flatMap(({ head: [, path = '', line, column, code = ''], text }): Finding[] => {
    const url = pathToFileURL(resolve(cwd, path)).href;
    if (!files.has(url)) return [];
    const { message = shorten(text), hint } = inPlainWords(code, text.join(' '));
    return [
      {
        file: files.name(url),
        line: Number(line),
        column: Number(column),
        severity: 'error',
        code,
        message,
        ...(hint && { hint }),
      },
    ];
  });
}

/** Runs `tsc` and gives its output. */
function run(project: string, cwd: string, signal: AbortSignal | undefined): Promise<string> {
  const compiler = join(dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))), 'bin', 'tsc');
  // Each checker works out the types that all files share for itself: with its usual four, a configuration of any size costs
  // more than twice the work, and the second processor is busy with the evaluation meanwhile.
  const child = spawn(process.execPath, [compiler, '--pretty', 'false', '--checkers', '1', '-p', project], {
    cwd,
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece));
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (errors += piece));
  return new Promise((done, fail) => {
    child.once('error', (cause) =>
      fail(new EnvironmentFault(`the TypeScript compiler could not start: ${cause.message}`, { cause })),
    );
    child.once('close', (code, killed) => {
      // 1 and 2 are its verdicts on the input; anything else, or a general error without a place, is its own failure.
      const general = /^error TS\d+: .*$/m.exec(output)?.[0];
      if (!killed && (code === 0 || (code ?? 3) <= 2) && !general) done(output);
      else
        fail(
          new EnvironmentFault(
            `the TypeScript compiler failed: ${general ?? (errors.trim().split('\n').at(-1) || (killed ?? `exit code ${code}`))}`,
          ),
        );
    });
  });
}

export interface TypecheckOptions {
  readonly signal?: AbortSignal;
  /** File where the compiler keeps what it knows of unchanged files; saves most of the time of a repeated check. */
  readonly buildInfo?: string | undefined;
  /** Files to check besides the configuration, relative to its directory. */
  readonly also?: readonly string[] | undefined;
}

/** `directory` is a real path. */
export const typecheck = async (directory: string, options: TypecheckOptions = {}): Promise<Finding[]> =>
  (await typecheckTogether([directory], options))[0] ?? [];

/**
 * Several configurations in one run of the compiler, which costs little more than one of them: the findings of each, in
 * order. The first says how modules are read. Where one has a syntax error, the compiler speaks of syntax only.
 */
export async function typecheckTogether(
  directories: readonly string[],
  options: TypecheckOptions = {},
): Promise<Finding[][]> {
  // Without waiting: whoever calls goes on to load modules once the compiler is under way.
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'headgate-types-')));
  try {
    const project = join(scratch, 'tsconfig.json');
    writeFileSync(project, JSON.stringify(settings(directories, options)));
    const [cwd = scratch] = directories;
    const output = await run(project, cwd, options.signal);
    return directories.map((directory) => parseDiagnostics(output, directory, cwd));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
