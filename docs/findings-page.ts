/** The reference of what `check` finds: a section for each code, with an example out of the golden tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findingAreas } from '../config-sdk/findings.ts';
import type { FindingEntry } from '../config-sdk/findings/entry.ts';
import { redact } from '../config-sdk/rules/secrets.ts';

const golden = fileURLToPath(new URL('../test/golden/check/', import.meta.url));

interface Shown {
  readonly folder: string;
  readonly file: string;
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/** Every finding of every golden configuration; a folder named after a code comes before the ones that show many. */
const shown: readonly Shown[] = readdirSync(golden)
  .toSorted()
  .flatMap((folder) =>
    [
      ...readFileSync(`${golden}${folder}/expected.txt`, 'utf8').matchAll(
        /^(\S+?):(\d+):\d+ \w+ (\w+) (.*?)(?:; .*)?$/gm,
      ),
    ].map(([, file = '', line = '', code = '', message = '']): Shown => ({
      folder,
      file,
      line: Number(line),
      code,
      message,
    })),
  );

const mostLines = 14;

/** The statement that a line stands in: from the last line that begins one to the first that closes it. */
function statementAt(lines: readonly string[], line: number): string[] {
  const from = lines.findLastIndex((each, index) => index < line && /^[^\s)}\]]/.test(each));
  const end = lines.findIndex((each, index) =>
    index === from ? index === line - 1 && each.endsWith(';') : index >= line - 1 && /^[)}\]]/.test(each),
  );
  return lines.slice(from, end + 1);
}

/** The lines around one, up to the next empty ones. */
function paragraphAt(lines: readonly string[], line: number): string[] {
  const from = lines.findLastIndex((each, index) => index < line && each === '') + 1;
  const end = lines.findIndex((each, index) => index >= line && each === '');
  return lines.slice(from, end === -1 ? lines.length : end);
}

const isShort = (lines: readonly string[]): boolean => lines.length > 0 && lines.length <= mostLines;

function exampleOf(code: string): string {
  const own = code.replaceAll('_', '-');
  const found = shown.filter((each) => each.code === code);
  const best = found.find(({ folder }) => folder === own) ?? found[0];
  if (!best) return '';
  const path = `${golden}${best.folder}/${best.file}`;
  if (!best.file.endsWith('.ts') || !existsSync(path)) return '';
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  // A configuration made for one code shows it with what belongs to it.
  const around = best.folder === own ? paragraphAt(lines, best.line) : [];
  const example = isShort(around) ? around : statementAt(lines, best.line);
  if (!isShort(example) || example[0]?.startsWith('import ')) return '';
  return `\n\`\`\`ts\n${redact(example.join('\n'))}\n// ${redact(best.message)}\n\`\`\`\n`;
}

function section(code: string, { severity, meaning, why, hint, acceptable }: FindingEntry): string {
  const sentence = `${hint.charAt(0).toUpperCase()}${hint.slice(1)}.`;
  const accept = acceptable ? 'May be accepted with a reason.' : 'Cannot be accepted.';
  return `### \`${code}\`

**${severity === 'error' ? 'Error' : 'Warning'}.** ${meaning} ${why}
${exampleOf(code)}
**Cure:** ${sentence} ${accept}
`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
const index = Object.values(findingAreas)
  .flatMap((table) => Object.entries(table))
  .map(([code, { severity, meaning }]) => `| [\`${code}\`](#${code}) | ${severity} | ${cell(meaning)} |`)
  .join('\n');
const codes = Object.values(findingAreas).flatMap((table) => Object.keys(table));

export const findingsPage = `# What \`headgate check\` finds

${codes.length} codes, each a mistake that a team can make. Besides these, the TypeScript compiler's own codes (\`TS2322\` and so on)
are reported as they are. Warnings do not fail a check; errors do.

Where a finding is right as it is, the configuration says so, with a reason, in one list that reviewers and \`CODEOWNERS\` can
keep an eye on:

\`\`\`ts
export default defineGateway({
  …
  accept: [{ code: 'fallback_same_provider', in: assistant, reason: 'the contract allows no other vendor' }],
});
\`\`\`

\`in\` is any declared object, or the path of a file; without it, the entry holds everywhere. The finding becomes a note that shows
the reason. An entry that excuses nothing any more is a finding itself. Nothing of the list reaches the artifact.

| code | severity | meaning |
| --- | --- | --- |
${index}

${Object.entries(findingAreas)
  .map(
    ([area, table]) =>
      `## ${area}\n\n${Object.entries(table)
        .map(([code, entry]) => section(code, entry))
        .join('\n')}`,
  )
  .join('\n')}`;
