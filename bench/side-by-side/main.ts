/**
 * Headgate and others side by side: what a request costs in processor time, how much latency is added, how much memory it
 * takes. `npm run bench`, or a part of it: `npm run bench -- --only unary --rows nginx,bare,headgate --rounds 5`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages } from '../../test/support/install-packages.ts';
import { freePort } from '../../test/support/redis.ts';
import { gatewayRows } from '../peers/gateways.ts';
import { directRow, plainRows } from '../peers/plain.ts';
import { allFigures, type Figures } from './figures.ts';
import { headgateRow, headgateStages } from './headgate.ts';
import { allowedCores, loadInWords } from './machine.ts';
import { compileNative, writeAnswers } from './native.ts';
import { judgeAll } from './promises.ts';
import { circumstancesInWords, swapTable, verdictTable, workTable, type Prepared } from './report.ts';
import { Absent, type Row } from './row.ts';
import { pinnedTo, Program, type Cores } from './running.ts';
import { measure, type Bench, type Course } from './sampling.ts';
import { measureSwap, type SwapFigures } from './swap.ts';
import { works, type Work } from './works.ts';

const root = resolve(import.meta.dirname, '../..');
const usage = `npm run bench -- [options]
  --only NAMES        kinds of work or groups of them, with commas between; also: swap
  --rows NAMES        rows, with commas between
  --rounds NUMBER     samples of each row (5)
  --seconds NUMBER    how long a sample lasts (3)
  --warm NUMBER       seconds of processor time that a row works at least before its samples (3)
  --patience NUMBER   seconds that a quiet moment is waited for before each sample (5)
  --out FILE          where the Markdown goes (docs/benchmarks/DATE.md, for everything)
  --list              prints all names
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rows: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    warm: { type: 'string', default: '3' },
    patience: { type: 'string', default: '5' },
    out: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const isWhole = options.only === undefined && options.rows === undefined;

let written = '';
/** To the terminal, and into what is written at the end. */
function tell(text: string): void {
  process.stdout.write(`${text}\n`);
  written += `${text}\n`;
}
const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** The built packages, put where npm would; they find what they depend on in this checkout. */
async function builtHeadgate(): Promise<string> {
  const { status, stdout } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm run build failed:\n${stdout}`);
  const folder = join(root, 'node_modules', `.bench-${process.pid}`);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await installPackages(root, folder);
  return join(folder, 'node_modules/headgate/bin/headgate.js');
}

function coresToUse(): Cores {
  const cores = allowedCores();
  if (cores.length < 2 || pinnedTo(cores).length === 0) return { gateway: [], load: [] };
  return { gateway: cores.slice(0, 1), load: cores.slice(1) };
}

interface Named {
  readonly name: string;
  readonly group?: string;
}

function chosen<Value extends Named>(all: readonly Value[], names: string | undefined): readonly Value[] {
  if (names === undefined) return all;
  const wanted = names.split(',');
  const unknown = wanted.filter((each) => !all.some(({ name, group }) => name === each || group === each));
  if (unknown.length > 0)
    throw new Absent(`there is no ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);
  return all.filter(({ name, group = '' }) => wanted.includes(name) || wanted.includes(group));
}

function courseOf(given: Readonly<Record<'rounds' | 'seconds' | 'warm' | 'patience', string>>): Course {
  const number = (name: keyof typeof given, least: number): number => {
    const value = Number(given[name]);
    if (!(value >= least)) throw new Absent(`--${name} is a number from ${least}, not '${given[name]}'`);
    return value;
  };
  return {
    rounds: number('rounds', 1),
    seconds: number('seconds', 0.1),
    warmSeconds: number('warm', 0),
    patienceSeconds: number('patience', 0),
  };
}

async function prepare(
  rows: readonly Row[],
): Promise<{ readonly there: readonly Row[]; readonly all: readonly Prepared[] }> {
  const there: Row[] = [];
  const all: Prepared[] = [];
  for (const row of rows) {
    try {
      all.push({ name: row.name, title: row.title, version: await row.prepare() });
      there.push(row);
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      all.push({ name: row.name, title: row.title, version: `absent: ${error.message}` });
    }
    const last = all.at(-1);
    note(`${last?.name}: ${last?.title}, ${last?.version}`);
  }
  return { there, all };
}

/** Without a choice, a row does the work that it is there for. */
const doesWork = (row: Row, work: Work): boolean =>
  (row.works === undefined || row.works.includes(work.name) || options.rows !== undefined) &&
  (work.rows === undefined || work.rows.includes(row.name));

interface Run {
  readonly bench: Bench;
  readonly rows: readonly Row[];
  readonly works: readonly Work[];
  /** The built command, where swaps are to be measured too. */
  readonly swapProgram: string | undefined;
}

async function runAll({ bench, rows, works: wanted, swapProgram }: Run): Promise<void> {
  const results = new Map<string, readonly Figures[]>();
  const rowsFor = (work: Work): readonly Row[] => rows.filter((row) => doesWork(row, work));
  // How much memory streams take shows in fresh processes only.
  for (const batch of Map.groupBy(wanted, ({ name, group }) => (group === 'slow' ? name : group)).values()) {
    for await (const { work, samples } of measure(bench, batch, rowsFor)) {
      if (samples.length === 0) continue;
      results.set(work.name, allFigures(work, samples));
      tell(workTable(work, samples));
    }
  }
  let swap: SwapFigures | undefined;
  if (swapProgram !== undefined) {
    swap = await measureSwap(bench, swapProgram);
    tell(swapTable(swap));
  }
  const verdicts = judgeAll({ works: results, swap }).filter(({ wasAsked }) => wasAsked || isWhole);
  if (verdicts.length > 0) tell(verdictTable(verdicts));
}

async function main(): Promise<void> {
  const names = options.only?.split(',').filter((name) => name !== 'swap');
  const course = courseOf(options);
  const wanted = options.only === undefined ? works : names?.length ? chosen(works, names.join(',')) : [];
  const hasSwap = options.only === undefined || options.only.split(',').includes('swap');
  const date = new Date();
  const loadBefore = loadInWords();
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(join(folder, 'work'));
  const native = compileNative(folder);
  await writeAnswers(join(folder, 'answers'));
  const program = await builtHeadgate();
  const revision = spawnSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim();
  const headgate = headgateStages.map((stages) => headgateRow(program, revision, stages));
  const { there, all } = await prepare(chosen([directRow, ...plainRows, ...gatewayRows, ...headgate], options.rows));
  const cores = coresToUse();
  const upstreamPort = await freePort();
  const upstream = new Program(
    [...pinnedTo(cores.load), native.upstream, String(upstreamPort), join(folder, 'answers')],
    join(folder, 'upstream.log'),
  );
  upstream.refresh();
  const bench: Bench = { native, cores, course, folder: join(folder, 'work'), upstream, upstreamPort, note };
  try {
    await runAll({ bench, rows: there, works: wanted, swapProgram: hasSwap ? program : undefined });
  } finally {
    await upstream.end();
  }
  const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  const head = circumstancesInWords({ date, command, revision, cores, loadBefore }, all);
  const file = options.out ?? (isWhole ? join('docs/benchmarks', `${date.toISOString().slice(0, 10)}.md`) : undefined);
  if (file === undefined) return;
  const path = resolve(root, file);
  mkdirSync(resolve(path, '..'), { recursive: true });
  writeFileSync(path, `${head}\n${written}`);
  note(`written to ${file}`);
}

// So that what was started ends, and what was written for it goes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

if (options.help) process.stdout.write(usage);
else if (options.list)
  process.stdout.write(
    `work: ${works.map(({ name }) => name).join(', ')}, swap\nrows: ${[directRow, ...plainRows, ...gatewayRows, ...headgateStages].map(({ name }) => name).join(', ')}\n`,
  );
else {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    note(error.message);
    process.exitCode = 3;
  }
}
