/** The results of tests for people: one line each, and below a failed one what was expected, what came, and the lines that decided. */
import { painter } from '../report/paint.ts';
import type { TestResult } from './document.ts';
import type { TestRun } from './run.ts';

const indented = (text: string): string => text.replaceAll('\n', '\n             ');

function failureLines({ failure, file, line, column }: TestResult): string[] {
  if (!failure) return [];
  const { message, position, expected, actual, decidedBy = [] } = failure;
  const place = position ?? { file, line, column };
  return [
    `    ${place.file}:${place.line}:${place.column} ${message}`,
    ...(expected === undefined ? [] : [`    expected ${indented(expected)}`]),
    ...(actual === undefined ? [] : [`    actual   ${indented(actual)}`]),
    ...decidedBy.map((each) => `    decided  ${each}`),
  ];
}

/** `terminal`: colours may be used. */
export function resultsInWords({ results = [], ms }: TestRun, terminal: boolean): string {
  const paint = painter(terminal);
  const lines = results.flatMap((each) => {
    const mark = each.failure ? paint('red', 'FAIL') : paint('green', 'ok  ');
    return [`${mark} ${each.file}: ${each.name}`, ...failureLines(each)];
  });
  const failed = results.filter(({ failure }) => failure).length;
  const count = `${results.length} test${results.length === 1 ? '' : 's'}`;
  const verdict = failed === 0 ? 'all fine' : `${failed} failed`;
  return `${[...lines, `${count}, ${verdict} (${(ms / 1000).toFixed(1)} s)`].join('\n')}\n`;
}
