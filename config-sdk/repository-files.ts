/** The files of a repository beside what evaluating them gave: those that nothing imports, and credentials in their text. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { finding, type Finding } from './findings.ts';
import { configFile } from './load/load.ts';
import { credentialsIn } from './rules/secrets.ts';

/** Where teams keep what is meant to be imported, whatever its kind. */
const folders = /^(prompts|policies)\//;

/** A file that only declares types, or is a note to its readers, need not be imported. */
function isMeantForUse(file: string, text: () => string): boolean {
  if (folders.test(file) && /\.(md|txt|json)$/.test(file)) return !/(^|\/)readme\.md$/i.test(file);
  return (
    file.endsWith('.ts') &&
    !/\.(test|d)\.ts$/.test(file) &&
    /^import\s+(?!type\s)[^;]*?\sfrom\s+['"]headgate['"]/m.test(text())
  );
}

/** Folders of something else: what was installed or built, tests, and other packages and configurations. */
function isElsewhere(folder: string, name: string): boolean {
  if (name.startsWith('.') || ['node_modules', 'dist', 'test', 'tests'].includes(name)) return true;
  return ['package.json', configFile].some((each) => existsSync(join(folder, name, each)));
}

function* filesBelow(directory: string, folder = ''): Generator<string> {
  for (const entry of readdirSync(join(directory, folder), { withFileTypes: true })) {
    const path = `${folder}${entry.name}`;
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && !isElsewhere(join(directory, folder), entry.name))
      yield* filesBelow(directory, `${path}/`);
  }
}

/** `imported` are the files that were read, relative to `directory`. */
export function unusedFiles(directory: string, imported: readonly string[]): string[] {
  const known = new Set(imported);
  return [...filesBelow(directory)]
    .filter((file) => !known.has(file) && isMeantForUse(file, () => readFileSync(join(directory, file), 'utf8')))
    .sort();
}

/** Credentials in the text of files that are no part of `declared`: those have a finding at their property. */
export function credentialsInFiles(
  directory: string,
  files: readonly string[],
  declared: readonly string[],
): Finding[] {
  return files.flatMap((file) => {
    const text = existsSync(join(directory, file)) ? readFileSync(join(directory, file), 'utf8') : '';
    return [...credentialsIn(text)]
      .filter((found) => !declared.some((each) => each.includes(found.text)))
      .map(({ offset, what }) => {
        const before = text.slice(0, offset).split('\n');
        const position = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
        return finding('secret_literal', position, `this file holds what looks like ${what}`);
      });
  });
}
