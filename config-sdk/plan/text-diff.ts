/** Unified diffs of rendered prompts: lines, as a reviewer of code knows them. */
import { structuredPatch } from 'diff';

/** From here on, a line is shown in pieces. */
const longLine = 100;
/** Above this many edited lines the search for the shortest diff takes too long, and nobody would read it. */
const mostEdits = 2_000;

/** Stands where a line was broken for showing only. */
export const softBreak = ' ↩';

/**
 * Long lines are broken after sentences, never at a column: prompts are often one line for each paragraph, and an edit
 * should show up in its own sentence only.
 */
function linesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    if (line.length <= longLine) return [line];
    const sentences = line.split(/(?<=[.!?:;。！？]["')\]]?\s)(?=\S)/);
    return sentences.map((sentence, index) =>
      index === sentences.length - 1 ? sentence : sentence.trimEnd() + softBreak,
    );
  });
}

export interface TextDiff {
  /** Lines beginning with `+`, `-`, a space, or `@@`; empty when the texts are equal. */
  readonly lines: readonly string[];
}

export function textDiff(before: string, after: string): TextDiff {
  if (before === after) return { lines: [] };
  const [old, now] = [before, after].map((text) => (text === '' ? [] : linesOf(text)));
  const ended = (lines: readonly string[] = []): string => lines.map((line) => `${line}\n`).join('');
  const patch = structuredPatch('', '', ended(old), ended(now), '', '', { context: 3, maxEditLength: mostEdits });
  if (!patch) return { lines: [...(old ?? []).map((line) => `-${line}`), ...(now ?? []).map((line) => `+${line}`)] };
  return {
    lines: patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
      `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`,
      ...lines,
    ]),
  };
}

/** A range without lines is named by the line before it. */
const range = (start: number, count: number): string => `${count === 0 ? start - 1 : start},${count}`;
