/** Loaded before a test file where the packages are built: our own modules are then what users run, and not their sources. */
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = pathToFileURL(join(resolve(import.meta.dirname, '../..'), '/')).href;
const installed = pathToFileURL(join(process.env['BUILT_PACKAGES'] ?? '', 'node_modules', '/')).href;

const moved = [
  { from: `${root}config-sdk/`, to: `${installed}headgate/dist/` },
  { from: `${root}runtime/`, to: `${installed}@headgate/runtime/dist/` },
];

/** The compiler reads small declarations instead of all sources in the configurations of tests: a check costs a third. */
registerHooks({
  resolve(specifier, context, next) {
    if (/^(@headgate\/runtime|headgate)(\/|$)/.test(specifier))
      return next(specifier, { ...context, parentURL: installed });
    if (!specifier.startsWith('.') || !specifier.endsWith('.ts')) return next(specifier, context);
    const { href } = new URL(specifier, context.parentURL);
    const move = moved.find(({ from }) => href.startsWith(from));
    return next(move ? `${move.to}${href.slice(move.from.length, -'.ts'.length)}.js` : specifier, context);
  },
});
