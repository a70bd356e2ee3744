/** Compiles a tree again and again, as `dev --watch` does: prints the seconds after each changed file. For `config.ts`. */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { edit } from './config-tree.ts';

const [folder = '', rounds = ''] = process.argv.slice(2);
// The published package, which this repository's own condition would pass by.
const dist = join(folder, 'node_modules/headgate/dist');
const { check } = (await import(join(dist, 'check.js'))) as {
  check: (directory: string, options: object) => Promise<{ readonly snapshot?: object }>;
};
interface Prepared {
  prepare(): void;
}
const { Evaluations } = (await import(join(dist, 'load/load.js'))) as { Evaluations: new (folder: string) => Prepared };
const { StandingCompiler } = (await import(join(dist, 'standing/compiler.js'))) as {
  StandingCompiler: new (folder: string) => Prepared;
};
const evaluations = new Evaluations(folder);
const compiler = new StandingCompiler(folder);
const options = { buildInfo: join(folder, '.headgate', 'bench.tsbuildinfo'), evaluations, compiler };
const seconds: number[] = [];
for (let round = 0; round <= Number(rounds); round += 1) {
  evaluations.prepare();
  compiler.prepare();
  await wait(2_000);
  await edit(folder, 20 + round);
  const began = performance.now();
  if (!(await check(folder, options)).snapshot) throw new Error('the tree does not pass check');
  // The first one is cold.
  if (round > 0) seconds.push((performance.now() - began) / 1000);
}
process.stdout.write(JSON.stringify(seconds), () => process.exit());
