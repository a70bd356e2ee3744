/** What `npm test` executes: brings the tools, checks format, lint and types, runs every test, and says what it could not run. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { installPackages } from './support/install-packages.ts';
import { record } from './support/recording.ts';
import { leakInWords, scanForSecrets } from './support/secret-scan.ts';
import { inCi, onPath, tools, type Tool } from './support/tools.ts';

const root = resolve(import.meta.dirname, '..');
const slowestTestMs = 180_000;
const installTimeoutMs = 300_000;
const compiled = mkdtempSync(join(tmpdir(), 'headgate-compiled-'));
/** Where what they depend on is found as in an installation. */
const packages = join(root, 'node_modules', `.built-${process.pid}`);
const environment: Record<string, string> = {};
process.once('exit', () => {
  for (const folder of [compiled, packages]) rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly step: string;
  readonly passed: boolean;
  readonly note: string;
}

interface Finished {
  readonly passed: boolean;
  readonly seconds: string;
  readonly lines: readonly string[];
}

const { values: options } = parseArgs({ options: { only: { type: 'string' } } });
const outcomes: Outcome[] = [];
const notRun: string[] = [];

ensureTools();
if (options.only === undefined) {
  await check('format', 'oxfmt', '--check', '.');
  await check('lint', 'oxlint', '--type-aware', '--deny-warnings');
  await check('types', 'tsc', '--noEmit', '-p', 'tsconfig.json');
  await build();
}
await runTests(options.only);
report();

function ensureTools(): void {
  const missing = Object.values<Tool>(tools).filter((tool) => tool.find() === undefined);
  const install = missing.length === 0 ? undefined : installer();
  if (install !== undefined) {
    install(['update']);
    // One by one: a package that this system does not have must not keep the others away.
    for (const tool of missing) install(['install', '-y', '--no-install-recommends', ...tool.packages]);
  }
  const why = install === undefined ? 'it is not installed and cannot be installed from here' : 'installing it failed';
  for (const tool of missing) if (tool.find() === undefined) notRun.push(`tests that need ${tool.name}: ${why}`);
}

function installer(): ((parameters: string[]) => void) | undefined {
  if (onPath('apt-get') === undefined) return undefined;
  const isRoot = process.getuid?.() === 0;
  const sudo = onPath('sudo') !== undefined && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  if (!isRoot && !sudo) return undefined;
  const prefix = isRoot ? [] : ['sudo', '-n'];
  return (parameters) => {
    const words = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...parameters];
    console.log(`\n▶ ${words.join(' ')}`);
    const [program = '', ...rest] = words;
    // Its many lines go nowhere unless it fails: they would bury the results.
    const { status, stderr } = spawnSync(program, rest, { encoding: 'utf8', timeout: installTimeoutMs });
    if (status !== 0) console.log(stderr.trim());
  };
}

async function check(step: string, program: string, ...parameters: string[]): Promise<void> {
  const { passed, seconds } = await execute(program, parameters);
  outcomes.push({ step, passed, note: seconds });
}

/** What users run is what processes of the tests run; it also starts and checks in half the time that the sources take. */
async function build(): Promise<void> {
  // What was built here before stays: repositories made from this checkout read their types there.
  const dists = ['runtime', 'config-sdk'].map((name) => join(root, name, 'dist')).filter((dist) => !existsSync(dist));
  const { passed, seconds } = await execute('npm', ['run', '--silent', 'build']);
  if (passed) {
    await installPackages(root, packages);
    environment['BUILT_PACKAGES'] = packages;
  }
  for (const dist of dists) rmSync(dist, { recursive: true, force: true });
  outcomes.push({ step: 'build', passed, note: seconds });
}

async function runTests(only: string | undefined): Promise<void> {
  const files = globSync('test/**/*.test.ts', { cwd: root })
    .filter((file) => !/^test\/(golden|fixtures|types\/must-fail)\//.test(file))
    .filter((file) => only === undefined || file.includes(only))
    .toSorted();
  if (files.length === 0) {
    outcomes.push({ step: 'tests', passed: false, note: `no test file has "${only ?? '.test.ts'}" in its path` });
    return;
  }
  const recordings = mkdtempSync(join(tmpdir(), 'headgate-recorded-'));
  environment['RECORDINGS_OF_TESTS'] = recordings;
  const { passed, seconds, lines } = await execute(process.execPath, [
    ...(environment['BUILT_PACKAGES']
      ? [`--import=${join(root, 'test/support/from-built.ts')}`]
      : ['--conditions=source']),
    `--import=${join(root, 'test/support/record-run.ts')}`,
    // Tests that watch the heap collect it first.
    '--expose-gc',
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${Math.min(4, availableParallelism())}`,
    `--test-timeout=${slowestTestMs}`,
    ...files,
  ]);
  const total = (name: string) => Number(lines.findLast((line) => line.startsWith(`ℹ ${name} `))?.split(' ')[2] ?? 0);
  const skipped = lines
    .filter((line) => line.trimStart().startsWith('﹣ '))
    .map((line) =>
      line
        .trim()
        .slice(2)
        .replace(/ \([\d.]+ms\)/, ''),
    );
  notRun.push(...skipped);
  scan(recordings, lines);
  const counts = `${total('pass')} of ${total('tests')} passed, ${total('fail')} failed, ${total('skipped')} skipped`;
  outcomes.push({ step: 'tests', passed: passed && total('tests') > 0, note: `${counts}, ${seconds}` });
}

/** What the suite itself printed is among what is searched; a recording with a find stays, to be looked at. */
function scan(folder: string, printed: readonly string[]): void {
  const began = performance.now();
  record(folder, () => ({ file: 'the runner', test: 'any', what: 'what the suite printed' })).add(printed.join('\n'));
  const { secrets, recordings, bytes, leaks } = scanForSecrets(folder);
  for (const leak of leaks) console.log(`secret leaked: ${leakInWords(leak)}`);
  if (leaks.length === 0) rmSync(folder, { recursive: true });
  const found = `${leaks.length} leaks of ${secrets} secrets in ${recordings} recordings`;
  const note = `${found}, ${(bytes / 2 ** 20).toFixed(0)} MB, ${((performance.now() - began) / 1_000).toFixed(1)} s`;
  outcomes.push({ step: 'secrets', passed: leaks.length === 0 && (secrets > 0 || options.only !== undefined), note });
}

async function execute(program: string, parameters: string[]): Promise<Finished> {
  console.log(`\n▶ ${[program.split('/').at(-1), ...parameters].join(' ')}`);
  const began = performance.now();
  const child = spawn(program, parameters, {
    cwd: root,
    env: {
      ...process.env,
      PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
      // Hundreds of processes start from the same sources: compiled once, each begins in a third of the time.
      NODE_COMPILE_CACHE: compiled,
      ...environment,
      // The output passes through here to be read, and would lose its colour on the way to a terminal.
      ...(process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? { FORCE_COLOR: '1' } : {}),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<boolean>((done) => {
    child.on('error', (error) => {
      console.log(error.message);
      done(false);
    });
    child.on('close', (code) => done(code === 0));
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line);
    lines.push(stripVTControlCharacters(line));
  }
  const passed = await ended;
  return { passed, lines, seconds: `${((performance.now() - began) / 1_000).toFixed(1)} s` };
}

function report(): void {
  console.log('\nSummary');
  for (const { step, passed, note } of outcomes)
    console.log(`  ${passed ? 'pass' : 'FAIL'}  ${step.padEnd(7)} ${note}`);
  if (notRun.length > 0) {
    console.log(inCi() ? '\nNot run, and CI is set, so this fails:' : '\nNot run:');
    for (const line of notRun) console.log(`  ${line}`);
  }
  const failed = outcomes.some((outcome) => !outcome.passed) || (inCi() && notRun.length > 0);
  process.exitCode = failed ? 1 : 0;
}
