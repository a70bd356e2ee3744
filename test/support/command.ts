/** Which `headgate` tests run as a process: the built packages where `npm test` has made them, the sources otherwise. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const built = process.env['BUILT_PACKAGES'];

/** The folder of the package, as an installation has it under `node_modules`. */
export const packageDirectory =
  built === undefined
    ? fileURLToPath(new URL('../../config-sdk', import.meta.url))
    : join(built, 'node_modules', 'headgate');

/** To be run with Node. */
export const command = join(packageDirectory, 'bin', 'headgate.js');

/** Flags of a process of Node that imports our modules by their paths: it gets what the test itself has. */
export const ownModules: readonly string[] =
  built === undefined
    ? ['--conditions=source']
    : [`--import=${fileURLToPath(new URL('./from-built.ts', import.meta.url))}`];
