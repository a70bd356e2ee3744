/** Each file of `test/types/must-fail` has one mistake, and below it a caret under the wrong place and words of the message. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folder = join(import.meta.dirname, '..', 'types', 'must-fail');
const compiler = join(dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))), 'bin', 'tsc');
const files = globSync('*.ts', { cwd: folder }).toSorted();

interface Diagnostic {
  readonly line: number;
  readonly column: number;
  readonly lines: string[];
}

function diagnosticsByFile(output: string): Map<string, Diagnostic[]> {
  const found = new Map<string, Diagnostic[]>();
  let last: Diagnostic | undefined;
  for (const text of output.trimEnd().split('\n')) {
    const [, file = '', line, column, message = ''] = /^(.+?)\((\d+),(\d+)\): error TS\d+: (.*)$/.exec(text) ?? [];
    if (file === '') {
      last?.lines.push(text);
      continue;
    }
    last = { line: Number(line), column: Number(column), lines: [message] };
    found.set(file, [...(found.get(file) ?? []), last]);
  }
  return found;
}

async function compile(): Promise<string> {
  try {
    await promisify(execFile)(process.execPath, [compiler, '--pretty', 'false', '-p', folder], { cwd: folder });
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

describe('a mistake in the editor', () => {
  let found = new Map<string, Diagnostic[]>();
  before(async () => {
    found = diagnosticsByFile(await compile());
  });

  for (const name of files.filter((each) => each !== 'shared.ts')) {
    const text = readFileSync(join(folder, name), 'utf8').split('\n');
    const mark = text.findIndex((line) => /^ *\/\/ *\^ /.test(line));
    const marked = text[mark] ?? '';
    const words = marked.slice(marked.indexOf('^') + 1).trim();

    test(`${name.replace('.ts', '').replaceAll('-', ' ')} is one short error where it stands`, () => {
      const [only, ...others] = found.get(name) ?? [];
      assert.ok(only, 'the compiler has nothing to say');
      assert.deepEqual(others, []);
      assert.equal(`${only.line}:${only.column}`, `${mark}:${marked.indexOf('^') + 1}`, only.lines.join('\n'));
      assert.ok(only.lines.length <= 3, only.lines.join('\n'));
      assert.ok(only.lines.join('\n').includes(words), only.lines.join('\n'));
    });
  }

  test('nothing else is wrong in these files', () => {
    assert.deepEqual(
      [...found.keys()].toSorted(),
      files.filter((each) => each !== 'shared.ts'),
    );
  });
});
