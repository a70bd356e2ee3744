/** Writes the reference pages from the tables in the code; `npm run docs`. A test fails when a page is stale. */
import { globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { devSettings } from '../config-sdk/commands/dev.ts';
import { errorTable } from '../runtime/errors.ts';
import { settingTable } from '../runtime/settings.ts';
import { faults } from './faults.ts';
import { configPage } from './config-page.ts';
import { findingsPage } from './findings-page.ts';
import { modelsPage } from './models-page.ts';
import { translationPage } from './translation-page.ts';

const cell = (text: string | number): string => String(text).replaceAll('|', '\\|');
const row = (...cells: readonly (string | number)[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [row(...heads), row(...heads.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n');

const flags = (names: readonly string[]): string => names.map((name) => `\`--${name}\``).join(', ');

const errors = `# Errors that clients see

The stable \`code\` of an error on the data plane, in the envelope of the API that was asked.

${table(
  ['code', 'status', 'type', 'meaning'],
  Object.entries(errorTable).map(([code, { status, type, meaning }]) => [
    `\`${code}\``,
    status,
    `\`${type}\``,
    meaning,
  ]),
)}
`;

const settings = `# Settings of the runtime

Flags of \`headgate serve\`, or the same in the environment.

\`headgate dev\` serves the local repository and takes all of these flags but ${flags(devSettings.without)}.
Whatever the environment says, it uses ${Object.entries(devSettings.defaults)
  .map(([name, value]) => `\`--${name} ${value}\``)
  .join(' and ')} unless these flags say otherwise.

${table(
  ['flag', 'environment', 'default', 'meaning'],
  Object.entries(settingTable).map(([name, { value, fallback, help }]) => [
    `\`--${name} ${value}\``,
    `\`HEADGATE_${name.toUpperCase().replaceAll('-', '_')}\``,
    fallback === undefined ? '' : `\`${fallback}\``,
    help,
  ]),
)}
`;

const root = fileURLToPath(new URL('..', import.meta.url));

/** Names of tests by the fault numbers that stand at their beginning: `fault 6: …`, `faults 35, 36: …`. */
function testsByFault(): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const file of globSync('test/**/*.test.ts', { cwd: root }).toSorted()) {
    const text = readFileSync(`${root}${file}`, 'utf8');
    for (const [, numbers = ''] of text.matchAll(/['`"]faults? ([\d, –-]+?):/g)) {
      for (const number of numbers.split(/[ ,]+/).map(Number)) {
        const files = found.get(number) ?? [];
        if (!files.includes(file)) found.set(number, [...files, file]);
      }
    }
  }
  return found;
}

const covered = testsByFault();
const faultTable = `# Faults that the life of a revision survives

The tests are found by the numbers in their names. A fault without a test says so.

${table(
  ['fault', 'what happens', 'expected', 'test'],
  faults.map(({ what, expected }, index) => [
    index + 1,
    what,
    expected,
    covered
      .get(index + 1)
      ?.map((file) => `\`${file}\``)
      .join(', ') ?? 'none yet',
  ]),
)}
`;

/** Pages by file name, under \`docs/reference/\`. */
export const pages: Readonly<Record<string, string>> = {
  'config.md': configPage,
  'errors.md': errors,
  'faults.md': faultTable,
  'findings.md': findingsPage,
  'models.md': modelsPage,
  'settings.md': settings,
  'translation.md': translationPage,
};

if (import.meta.main) {
  for (const [name, text] of Object.entries(pages))
    await writeFile(new URL(`reference/${name}`, import.meta.url), text);
}
