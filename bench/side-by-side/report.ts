/** The whole run as Markdown: what ran, where and how, every table, and what was promised. */
import type { Work } from './works.ts';
import { allFigures } from './figures.ts';
import { loadInWords, machineInWords } from './machine.ts';
import type { Verdict } from './promises.ts';
import type { Cores } from './running.ts';
import type { Sample } from './sampling.ts';
import type { SwapFigures } from './swap.ts';
import { markdownTable, tableOf } from './tables.ts';

export interface Prepared {
  readonly name: string;
  readonly title: string;
  /** Or why it is not there. */
  readonly version: string;
}

export interface Circumstances {
  readonly date: Date;
  readonly command: string;
  readonly revision: string;
  readonly cores: Cores;
  readonly loadBefore: string;
}

export const workTable = (work: Work, samples: readonly Sample[]): string => tableOf(work, allFigures(work, samples));

export const swapTable = ({ gapMs, steadyP99, swapP99, p99Ratio, swapSeconds }: SwapFigures): string =>
  `### swap: 10,000 routes, 1,000 models, 1,000 prompts, 1,000 consumers\n\n${markdownTable(
    ['', 'median'],
    [
      ['added to the longest gap of the loop', `${gapMs.toFixed(1)} ms`],
      ['p99 at 200 requests a second, steady', `${steadyP99.toFixed(2)} ms`],
      ['p99 at 200 requests a second, during the swap', `${swapP99.toFixed(2)} ms`],
      ['ratio', p99Ratio.toFixed(2)],
      ['from the commit to its serving alone', `${swapSeconds.toFixed(1)} s`],
    ],
  )}\n`;

export const verdictTable = (verdicts: readonly Verdict[]): string =>
  `## What was promised\n\n${markdownTable(
    ['promise', 'line', 'measured', ''],
    verdicts.map(({ line, promise, measured, verdict }) => [promise, String(line), measured, verdict]),
  )}\n`;

function placeInWords({ gateway, load }: Cores): string {
  return gateway.length === 0
    ? 'One processor, or no `taskset`: the gateway, the load and the upstream share what there is, and only CPU counts.'
    : `The gateway runs on processor ${gateway.join(', ')}, the load and the upstream on ${load.join(', ')}.`;
}

export function circumstancesInWords(run: Circumstances, rows: readonly Prepared[]): string {
  return `# Benchmark of ${run.date.toISOString().slice(0, 10)}

\`${run.command}\` at ${run.revision}, begun at ${run.date.toISOString().slice(11, 16)} UTC.

- Machine: ${machineInWords()}. Node ${process.versions.node}. ${placeInWords(run.cores)}
- Load average (1, 5, 15 minutes) before: ${run.loadBefore}; after: ${loadInWords()}.
- Headgate runs as built by \`npm run build\`, with \`NODE_ENV=production\`, from a published artifact on a local branch.
- CPU is that of the whole process tree, user and system, from \`/proc\`. Rows are measured in turns, and each figure is the
  median of the rounds; "spread" is the distance between the lowest and the highest CPU that counts. A sample is disturbed
  when other processes kept more than 0.15 processors busy meanwhile: it is taken once more, and left out where half of the
  samples were quiet. With a "~" too few were, and the half that was disturbed least counts: trust CPU there, not latency.
- "added" is over direct. Headgate and LiteLLM are asked for models by names of their own, so that they rewrite each body.

${markdownTable(
  ['row', 'what', 'version'],
  rows.map(({ name, title, version }) => [name, title, version]),
)}
`;
}
