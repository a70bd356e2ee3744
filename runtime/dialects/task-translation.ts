/** One operation in the words of another vendor: in as many requests as that vendor wants for it, whose answers become one. */
import type { JsonObject, Usage } from '../call.ts';
import type {
  AnswerHeaders,
  ClientEmbeddings,
  ClientRerank,
  ClientTask,
  VendorEmbeddings,
  VendorRerank,
  VendorTask,
} from './task.ts';

export interface Answered {
  readonly body: JsonObject;
  readonly headers: AnswerHeaders;
}

export interface Translation {
  readonly requests: readonly [JsonObject, ...JsonObject[]];
  readonly dropped: readonly string[];
  /** One answer for each request, in their order, as the client's one. Throws `TypeError` when one of them is none. */
  readonly join: (answers: readonly Answered[]) => { readonly body: JsonObject; readonly usage: Usage | undefined };
}

/** Undefined where the two have no neutral terms in common. Throws `CallError` for what the vendor cannot take. */
export function translationOf(
  client: ClientTask,
  vendor: VendorTask,
): ((body: JsonObject, model: string) => Translation) | undefined {
  const { embeddings, rerank } = client;
  if (embeddings && vendor.embeddings) return embeddingsTranslation(embeddings, vendor.embeddings);
  return rerank && vendor.rerank && rerankTranslation(rerank, vendor.rerank);
}

const embeddingsTranslation =
  (client: ClientEmbeddings, vendor: VendorEmbeddings) =>
  (body: JsonObject, model: string): Translation => {
    const call = client.readCall(body);
    const { inputs } = call;
    const most = vendor.mostInputs?.(model) ?? inputs.length;
    const write = (from: number) => vendor.writeCall({ ...call, inputs: inputs.slice(from, from + most) }, model);
    const first = write(0);
    const others = Array.from({ length: Math.ceil(inputs.length / most) - 1 }, (_, index) => write((index + 1) * most));
    return {
      requests: [first.body, ...others.map((each) => each.body)],
      dropped: first.dropped,
      join(answered) {
        const answers = answered.map((each) => vendor.readAnswer(each.body, each.headers));
        const vectors = answers.flatMap((each) => each.vectors);
        if (vectors.length !== inputs.length) throw new TypeError('there is not one embedding for each input');
        const usage = sumOf(answers.map((each) => each.usage));
        const name = answers[0]?.model;
        const answer = { vectors, ...(name !== undefined && { model: name }), ...(usage && { usage }) };
        return { body: client.writeAnswer(answer, body), usage };
      },
    };
  };

const rerankTranslation =
  (client: ClientRerank, vendor: VendorRerank) =>
  (body: JsonObject, model: string): Translation => {
    const call = client.readCall(body);
    const written = vendor.writeCall(call, model);
    return {
      requests: [written.body],
      dropped: written.dropped,
      join([answered]) {
        const answer = vendor.readAnswer(answered?.body ?? {});
        if (answer.results.some(({ index }) => index >= call.documents.length))
          throw new TypeError('a result is of no document');
        return { body: client.writeAnswer(answer, body), usage: answer.usage };
      },
    };
  };

/** Undefined where a part of it is not known: half a sum is none. */
function sumOf(all: readonly (Usage | undefined)[]): Usage | undefined {
  const known = all.filter((each) => each !== undefined);
  if (known.length < all.length) return undefined;
  const inputTokens = known.reduce((sum, each) => sum + each.inputTokens, 0);
  return { inputTokens, outputTokens: 0 };
}
