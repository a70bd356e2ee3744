/** Compiles a tree again and again, as `dev --watch` does: prints the seconds after each changed file. For `config.ts`. */
import { join } from 'node:path';
import { edit } from './config-tree.ts';

const [folder = '', rounds = ''] = process.argv.slice(2);
// The published package, which this repository's own condition would pass by.
const { check } = (await import(join(folder, 'node_modules/headgate/dist/check.js'))) as {
  check: (directory: string, options: object) => Promise<{ readonly snapshot?: object }>;
};
const options = { buildInfo: join(folder, '.headgate', 'bench.tsbuildinfo') };
const seconds: number[] = [];
for (let round = 0; round <= Number(rounds); round += 1) {
  await edit(folder, 20 + round);
  const began = performance.now();
  if (!(await check(folder, options)).snapshot) throw new Error('the tree does not pass check');
  // The first one is cold.
  if (round > 0) seconds.push((performance.now() - began) / 1000);
}
process.stdout.write(JSON.stringify(seconds));
