/** Writes the reference pages from the tables in the code; `npm run docs`. A test fails when a page is stale. */
import { writeFile } from 'node:fs/promises';
import { findingTable } from '../config-sdk/findings.ts';
import { errorTable } from '../runtime/errors.ts';
import { settingTable } from '../runtime/settings.ts';

const cell = (text: string | number): string => String(text).replaceAll('|', '\\|');
const row = (...cells: readonly (string | number)[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [row(...heads), row(...heads.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n');

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

const findings = `# What \`headgate check\` finds

Besides these, the TypeScript compiler's own codes (\`TS2322\` and so on) are reported as they are.

${table(
  ['code', 'severity', 'meaning', 'cure'],
  Object.entries(findingTable).map(([code, { severity, meaning, hint }]) => [`\`${code}\``, severity, meaning, hint]),
)}
`;

const settings = `# Settings of the runtime

Flags of \`headgate serve\`, or the same in the environment. \`headgate dev\` takes all but those that name a source or
say whose artifacts to trust.

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

/** Pages by file name, under \`docs/reference/\`. */
export const pages: Readonly<Record<string, string>> = {
  'errors.md': errors,
  'findings.md': findings,
  'settings.md': settings,
};

if (import.meta.main) {
  for (const [name, text] of Object.entries(pages))
    await writeFile(new URL(`reference/${name}`, import.meta.url), text);
}
