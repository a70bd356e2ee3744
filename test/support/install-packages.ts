/** Puts our two packages, as they are published, where npm would: for tests and benchmarks that run what users run. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';

/** Into `folder/node_modules`. `npm run build` must have built them in `repository`; what they depend on must be found from there. */
export async function installPackages(repository: string, folder: string): Promise<void> {
  for (const [from, to, parts] of [
    ['config-sdk', 'headgate', ['package.json', 'bin', 'dist', 'template', 'ambient.d.ts']],
    ['runtime', '@headgate/runtime', ['package.json', 'bin', 'dist']],
  ] as const)
    for (const part of parts)
      await cp(join(repository, from, part), join(folder, 'node_modules', to, part), { recursive: true });
}
