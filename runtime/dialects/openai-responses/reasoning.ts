/** Reasoning items: what of them is shown, and what only the vendor that made them can read. */
import type { Json, JsonObject, Part } from '../../call.ts';
import { isObject, listIn, textIn, withoutUndefined } from '../json-fields.ts';

type Reasoning = Extract<Part, { type: 'reasoning' }>;

/** Begins signatures that were made here, so that they are known when another API's client sends them back. */
const mark = 'headgate:openai-responses:';
/** Between the parts of a summary, which are paragraphs. */
export const paragraph = '\n\n';

const textsIn = (item: JsonObject, key: string): string[] =>
  listIn(item, key).flatMap((part) => (isObject(part) ? (textIn(part, 'text') ?? []) : []));

/** Open models show the reasoning itself as `content`; OpenAI's show a summary (openai SDK, `ResponseReasoningItem`). */
export function readReasoning(item: JsonObject): Reasoning {
  const summary = textsIn(item, 'summary');
  const shown = summary.length > 0 ? summary.join(paragraph) : textsIn(item, 'content').join('');
  const sealed = textIn(item, 'encrypted_content');
  return withoutUndefined<Reasoning>({
    type: 'reasoning',
    text: shown,
    signature: sealed === undefined ? undefined : mark + sealed,
  });
}

/** Begins the ids of reasoning items that stand for what another vendor's model thought. */
export const foreignId = 'rs_headgate_';

/** An item that is not sealed is looked for by its id, and not to be found is a 404 (vercel/ai#7543): a conversation that moves to the vendor goes on without it. */
export const isForeign = (item: Json): boolean =>
  isObject(item) && item.type === 'reasoning' && textIn(item, 'id')?.startsWith(foreignId) === true;

/** Undefined for reasoning that another API made: its signature would be answered with 400. */
export function writeReasoning({ text, signature = '' }: Reasoning): JsonObject | undefined {
  if (!signature.startsWith(mark)) return undefined;
  const summary = text === '' ? [] : [{ type: 'summary_text', text }];
  // Without its id: where nothing is stored there is nothing to look up, and Azure refuses it (vercel/ai#12687).
  return { type: 'reasoning', summary, encrypted_content: signature.slice(mark.length) };
}
