/** Where this package and the runtime beside it are installed, and whether they run from source. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const fromSource = import.meta.url.endsWith('.ts');
/** The conditions a process needs that is to find our packages as this one did. */
export const conditions: readonly string[] = fromSource ? ['source'] : [];

const directoryOf = (packageName: string): string =>
  realpathSync(dirname(fileURLToPath(import.meta.resolve(`${packageName}/package.json`))));

/** This package's directory, whether its files run from the top or from `dist`. */
export const ownDirectory: string = realpathSync(fileURLToPath(new URL(fromSource ? '.' : '..', import.meta.url)));
export const { version, repository } = JSON.parse(readFileSync(join(ownDirectory, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly repository?: unknown;
};
/** The directories of our own packages, by real path. */
export const ownPackages: readonly string[] = [ownDirectory, directoryOf('@headgate/runtime')].map((path) =>
  path.replace(/\/$/, ''),
);
