/** Polices what files of the repository import, and makes text files importable. */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes, type ResolveFnOutput } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { RefusedImport } from './document.ts';
import type { PolicedFiles } from './policed-files.ts';
import { unknowable } from './purity.ts';

const textFile = /\.(md|txt)$/;
/** Module formats by extension. Named here because a repository without a package.json would be read as CommonJS. */
const formats: Readonly<Record<string, string>> = {
  ts: 'module-typescript',
  mts: 'module-typescript',
  js: 'module',
  mjs: 'module',
  json: 'json',
  md: 'module',
  txt: 'module',
};
const refusedScheme = 'headgate-refused:';

const formatOf = (url: string): string | undefined => formats[/\.(\w+)$/.exec(url)?.[1] ?? ''];

/** The names that `source` imports from `specifier`, so that a stand-in can offer them. */
export function importedNames(source: string, specifier: string): string[] {
  const names = new Set<string>();
  const quoted = specifier.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  for (const [, clause] of source.matchAll(
    new RegExp(`(?:import|export)\\s+([^;'"]*?)\\s*from\\s*['"]${quoted}['"]`, 'g'),
  )) {
    const [, listed] = /\{([^}]*)\}/.exec(clause ?? '') ?? [];
    for (const part of (listed ?? '').split(',')) {
      const name = /^\s*(?!type\s)([\w$]+)/.exec(part)?.[1];
      if (name && name !== 'default') names.add(name);
    }
  }
  return [...names];
}

function standIn(names: readonly string[]): string {
  const value = `globalThis[Symbol.for('headgate.unknowable')]`;
  return [`export default ${value};`, ...names.map((name) => `export const ${name} = ${value};`)].join('\n');
}

function textModule(url: string): string {
  // A checkout may turn line ends around; the artifact must not depend on it.
  const text = readFileSync(fileURLToPath(url), 'utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n');
  return `export default ${JSON.stringify(text)};`;
}

const isMissing = (error: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT', 'ENOENT'].includes((error as { code?: string }).code ?? '');

export interface Imports {
  readonly refused: readonly RefusedImport[];
  /** Files of the repository that were read. */
  readonly loaded: ReadonlySet<string>;
  /** Takes the types out of a file that will most likely be imported as it is now. */
  readonly stripAhead: (url: string) => void;
}

const sourceOf = (url: string): string => readFileSync(fileURLToPath(url), 'utf8');

/** Files whose types were taken out before they were asked for; they are read again when they are. */
class Stripped {
  readonly #known = new Map<string, { readonly source: string; readonly code: string }>();

  add(url: string): void {
    if (formatOf(url) !== 'module-typescript') return;
    try {
      const source = sourceOf(url);
      this.#known.set(url, { source, code: stripTypeScriptTypes(source) });
    } catch {
      // Gone, or no TypeScript: whoever imports it will say so.
    }
  }

  /** The code, when the file still reads the same. */
  get(url: string): string | undefined {
    const known = this.#known.get(url);
    return known && known.source === sourceOf(url) ? known.code : undefined;
  }
}

/** Installs the hooks; the lists grow while modules are linked. `own` are the addresses of what may be imported by name. */
export function policeImports(files: PolicedFiles, own: Readonly<Record<string, string>>): Imports {
  const refused: RefusedImport[] = [];
  const loaded = new Set<string>();
  const stands = new Map<string, string>();
  const stripped = new Stripped();
  Object.defineProperty(globalThis, Symbol.for('headgate.unknowable'), { value: unknowable });

  function refuse(parent: string, specifier: string, [code, reason]: [RefusedImport['code'], string]) {
    refused.push({ file: files.name(parent), specifier, code, reason });
    const url = `${refusedScheme}${refused.length}`;
    stands.set(url, standIn(importedNames(sourceOf(parent), specifier)));
    return { url, format: 'module', shortCircuit: true, importAttributes: {} };
  }

  /** The configuration file itself is resolved on our behalf. */
  const ofOurOwn = (resolved: ResolveFnOutput): ResolveFnOutput =>
    files.has(resolved.url) ? { ...resolved, format: formatOf(resolved.url) ?? resolved.format } : resolved;

  registerHooks({
    resolve(specifier, context, next) {
      const parent = context.parentURL;
      if (!parent || !files.has(parent)) return ofOurOwn(next(specifier, context));
      const ours = Object.hasOwn(own, specifier) ? own[specifier] : undefined;
      if (ours !== undefined) return next(ours, context);
      if (!/^\.\.?\//.test(specifier))
        return refuse(parent, specifier, ['impure_import', `'${specifier}' is not part of this repository`]);
      let resolved;
      try {
        resolved = next(specifier, context);
      } catch (error) {
        if (isMissing(error)) return refuse(parent, specifier, ['import_not_found', `there is no file '${specifier}'`]);
        throw error;
      }
      if (!files.has(resolved.url))
        return refuse(parent, specifier, ['impure_import', `'${specifier}' leads out of this repository`]);
      const format = formatOf(resolved.url);
      if (!format)
        return refuse(parent, specifier, [
          'impure_import',
          `'${specifier}' is not a file that configuration may import`,
        ]);
      return { ...resolved, format, ...(textFile.test(resolved.url) && { importAttributes: {} }) };
    },
    load(url, context, next) {
      const stand = stands.get(url);
      if (stand !== undefined) return { format: 'module', source: stand, shortCircuit: true };
      if (files.has(url)) loaded.add(files.name(url));
      if (textFile.test(url) && files.has(url))
        return { format: 'module', source: textModule(url), shortCircuit: true };
      const code = stripped.get(url);
      if (code !== undefined) return { format: 'module', source: code, shortCircuit: true };
      return next(url, context);
    },
  });
  return { refused, loaded, stripAhead: (url) => stripped.add(url) };
}
