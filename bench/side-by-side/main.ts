/**
 * Headgate and others side by side: what a request costs in processor time, how much latency is added, how much memory it
 * takes. `npm run bench`, `npm run bench -- --only unary --rows nginx,bare,headgate --rounds 5`.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { installPackages } from '../../test/support/install-packages.ts';
import { freePort } from '../../test/support/redis.ts';
import { plainRows } from '../peers/plain.ts';
import { allFigures } from './figures.ts';
import { headgateRow, headgateStages } from './headgate.ts';
import { allowedCores } from './machine.ts';
import { compileNative, writeAnswers } from './native.ts';
import { Absent, type Row } from './row.ts';
import { pinnedTo, Program, type Cores } from './running.ts';
import { measure, type Bench } from './sampling.ts';
import { tableOf } from './tables.ts';
import { works } from './works.ts';

const root = resolve(import.meta.dirname, '../..');

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rows: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    warm: { type: 'string', default: '3' },
    patience: { type: 'string', default: '5' },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);

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

const direct: Row = {
  name: 'direct',
  title: 'the upstream, asked without anything between',
  prepare: async () => '',
  launch: async () => undefined,
  ask: (work) => plainRows[0]?.ask(work, { upstreamPort: 0 }),
};

const chosen = <Value extends { readonly name: string; readonly group?: string }>(
  all: readonly Value[],
  names: string | undefined,
): readonly Value[] => {
  if (names === undefined) return all;
  const wanted = names.split(',');
  const unknown = wanted.filter((each) => !all.some(({ name, group }) => name === each || group === each));
  if (unknown.length > 0)
    throw new Error(`there is no ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);
  return all.filter(({ name, group = '' }) => wanted.includes(name) || wanted.includes(group));
};

const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, 'requests'));
const cores = coresToUse();
const native = compileNative(folder);
await writeAnswers(join(folder, 'answers'));
const program = await builtHeadgate();
const allRows = [
  direct,
  ...plainRows,
  ...headgateStages.map((stages) => headgateRow(program, 'this checkout', stages)),
];
const rows: Row[] = [];
for (const row of chosen(allRows, options.rows)) {
  try {
    say(`${row.name}: ${row.title}, ${await row.prepare()}`);
    rows.push(row);
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    say(`${row.name} is absent: ${error.message}`);
  }
}
const upstreamPort = await freePort();
const upstream = new Program(
  [...pinnedTo(cores.load), native.upstream, String(upstreamPort), join(folder, 'answers')],
  join(folder, 'upstream.log'),
);
upstream.refresh();
const bench: Bench = {
  native,
  cores,
  course: {
    rounds: Number(options.rounds),
    seconds: Number(options.seconds),
    warmSeconds: Number(options.warm),
    patienceSeconds: Number(options.patience),
  },
  folder: join(folder, 'requests'),
  upstream,
  upstreamPort,
  note: say,
};
try {
  for (const work of chosen(works, options.only))
    say(`\n${tableOf(work, allFigures(work, await measure(bench, work, rows)))}`);
} finally {
  await upstream.end();
}
