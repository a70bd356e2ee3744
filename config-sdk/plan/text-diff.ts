/** Unified diffs of rendered prompts: lines, as a reviewer of code knows them. */
import { structuredPatch } from 'diff';

/** From here on, a line is shown in pieces. */
const longLine = 100;
/** Above this many edited lines the search for the shortest diff takes too long, and nobody would read it. */
const mostEdits = 2_000;

/** Stands where a line was broken for showing only. */
const softBreak = ' ↩';

/** Without a sentence's end, a piece is at most this long. */
const longestPiece = /.{1,400}/gsu;

/**
 * Long lines are broken after sentences rather than at a column: prompts are often one line for each paragraph, and an
 * edit should show up in its own sentence only.
 */
function linesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    if (line.length <= longLine) return [line];
    const sentences = line.split(/(?<=[.!?:;]["')\]]?) (?=\S)|(?<=[。！？])(?=\S)/);
    const pieces = sentences.flatMap((sentence) => sentence.match(longestPiece) ?? ['']);
    return pieces.map((piece, index) => (index === pieces.length - 1 ? piece : piece + softBreak));
  });
}

/** Lines beginning with `+`, `-`, a space, or `@@`; none when the texts are equal. */
export function textDiff(before: string, after: string): string[] {
  if (before === after) return [];
  const [old, now] = [before, after].map((text) => (text === '' ? [] : linesOf(text)));
  const ended = (lines: readonly string[] = []): string => lines.map((line) => `${line}\n`).join('');
  const patch = structuredPatch('', '', ended(old), ended(now), '', '', { context: 3, maxEditLength: mostEdits });
  if (!patch) return [...(old ?? []).map((line) => `-${line}`), ...(now ?? []).map((line) => `+${line}`)];
  return patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`,
    ...lines,
  ]);
}

/** A range without lines is named by the line before it. */
const range = (start: number, count: number): string => `${count === 0 ? start - 1 : start},${count}`;
