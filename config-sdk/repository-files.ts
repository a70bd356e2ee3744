/** The files of a repository beside what evaluating them gave: those that nothing imports, and credentials in their text. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { finding, type Finding } from './findings.ts';
import { credentialsIn } from './rules/secrets.ts';

/** Where teams keep what is meant to be imported. */
const folders = ['prompts', 'policies'];

/** A file that only declares types, or is a note to its readers, need not be imported. */
const isMeantForUse = (file: string, text: () => string): boolean =>
  /\.(md|txt|json)$/.test(file)
    ? !/(^|\/)readme\.md$/i.test(file)
    : file.endsWith('.ts') && !/\.(test|d)\.ts$/.test(file) && /from\s+['"]headgate['"]/.test(text());

/** `imported` are the files that were read, relative to `directory`. */
export function unusedFiles(directory: string, imported: readonly string[]): string[] {
  const known = new Set(imported);
  return folders
    .filter((folder) => existsSync(join(directory, folder)))
    .flatMap((folder) =>
      readdirSync(join(directory, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) =>
          join(entry.parentPath, entry.name)
            .slice(directory.length + 1)
            .replaceAll('\\', '/'),
        ),
    )
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
