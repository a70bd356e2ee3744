/** Reasoning items: what of them is shown, and what only the vendor that made them can read. */
import type { JsonObject, Part } from '../../call.ts';
import { isObject, listIn, textIn, withoutUndefined } from '../json-fields.ts';

type Reasoning = Extract<Part, { type: 'reasoning' }>;

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
    signature: sealed === undefined ? undefined : `${textIn(item, 'id') ?? ''}:${sealed}`,
  });
}

/** Undefined for reasoning that another API made: its signature would be answered with 400. */
export function writeReasoning({ text, signature = '' }: Reasoning): JsonObject | undefined {
  const [, id, sealed] = /^(rs_[\w-]+):(.+)$/s.exec(signature) ?? [];
  if (id === undefined) return undefined;
  const summary = text === '' ? [] : [{ type: 'summary_text', text }];
  return { type: 'reasoning', id, summary, encrypted_content: sealed };
}
