/**
 * Operations of OpenAI's API that pass between a client and a vendor of the same words: the gateway reads the model, what
 * policies judge, and usage. Shapes: developers.openai.com/api/reference, as the `openai` package has them in
 * resources/{completions,images,moderations}.d.ts and resources/audio/*.d.ts. Reranking is no operation of OpenAI: the
 * shape at `/v1/rerank` is Jina's (api.jina.ai/redoc), which vLLM, Together and others speak too.
 */
import type { JsonObject } from '../call.ts';
import type { ClientTask, VendorTask } from './task.ts';
import { readRerank, writeRerank } from './rerank-fields.ts';
import { modelIn, partsIn, usageIn } from './task-fields.ts';

/** Both sides are one: what a client sends is what such a vendor reads. */
export type PassedTask = ClientTask & VendorTask;

interface Shape {
  readonly name: string;
  /** Fields with text in them. */
  readonly texts: readonly string[];
  /** What an answer in JSON always has. */
  readonly answers: string;
  /** Only with this, an answer is events. */
  readonly streams?: Readonly<Record<string, string>>;
}

/** A form has texts only. */
const saysTrue = (value: JsonObject[string]): boolean => value === true || value === 'true';

/** A form has them as text. What is no such number is the vendor's to refuse. */
function countIn(...values: readonly JsonObject[string][]): number | undefined {
  const counts = values.map(Number).filter((each) => Number.isSafeInteger(each) && each >= 1);
  return counts.length === 0 ? undefined : Math.max(...counts);
}

function passed({ name, texts, answers, streams = {} }: Shape): PassedTask {
  return {
    name,
    readTask: (fields) => ({
      model: modelIn(fields),
      parts: texts.flatMap((field) => partsIn(fields[field], field)),
      maxOutputTokens: countIn(fields['max_tokens']),
      // Of `best_of` answers only some are sent, and all are billed.
      answers: countIn(fields['n'], fields['best_of']),
      stream: saysTrue(fields['stream']) || Object.entries(streams).some(([field, word]) => fields[field] === word),
    }),
    readAnswer(body) {
      if (body[answers] === undefined) throw new TypeError(`${answers} is missing`);
      return usageIn(body);
    },
    readEvent: usageIn,
    // `image_generation.completed`, `image_edit.completed`, `transcript.text.done`, `speech.audio.done`; completions end as chats do.
    isEnd: ({ data }) => data === '[DONE]' || /"type"\s*:\s*"[\w.]+\.(completed|done)"/.test(data),
  };
}

export const completions = passed({ name: 'openai-completions', texts: ['prompt', 'suffix'], answers: 'choices' });
export const moderations = passed({ name: 'openai-moderations', texts: ['input'], answers: 'results' });
export const rerank = passed({ name: 'rerank', texts: ['query', 'documents'], answers: 'results' });
/** For clients: vendors of other words can answer it too. */
export const anyRerank: ClientTask = { ...rerank, rerank: { readCall: readRerank, writeAnswer: writeRerank } };
export const imageGenerations = passed({ name: 'openai-image-generations', texts: ['prompt'], answers: 'data' });
export const imageEdits = passed({ name: 'openai-image-edits', texts: ['prompt'], answers: 'data' });
export const imageVariations = passed({ name: 'openai-image-variations', texts: [], answers: 'data' });
export const speech = passed({
  name: 'openai-speech',
  texts: ['input', 'instructions'],
  // Audio is no JSON; a vendor that answers with some has not spoken.
  answers: 'audio',
  streams: { stream_format: 'sse' },
});
export const transcriptions = passed({ name: 'openai-transcriptions', texts: ['prompt'], answers: 'text' });
export const translations = passed({ name: 'openai-translations', texts: ['prompt'], answers: 'text' });
