/** The operations beside chat, and files and batches, at the paths where OpenAI and its compatible vendors have them; what a vendor lacks it answers with 404. */
import { openaiEmbeddings } from '../dialects/openai-embeddings.ts';
import { openaiHoldings } from '../dialects/openai-holdings.ts';
import * as tasks from '../dialects/openai-tasks.ts';
import type { VendorTask } from '../dialects/task.ts';
import type { HoldingsApi, TaskApi } from './provider.ts';

const places: readonly (readonly [string, VendorTask])[] = [
  ['embeddings', openaiEmbeddings.vendor],
  ['completions', tasks.completions],
  ['moderations', tasks.moderations],
  ['rerank', tasks.rerank],
  ['images/generations', tasks.imageGenerations],
  ['images/edits', tasks.imageEdits],
  ['images/variations', tasks.imageVariations],
  ['audio/speech', tasks.speech],
  ['audio/transcriptions', tasks.transcriptions],
  ['audio/translations', tasks.translations],
];

export const tasksUnder = (path: string): readonly TaskApi[] =>
  places.map(([place, task]) => ({ task, path: () => `${path}/${place}` }));

export const holdingsUnder = (path: string): HoldingsApi => ({
  holdings: openaiHoldings,
  at: (asked) => path + asked.slice('/v1'.length),
});
