/** What is sent to a target for an operation: the client's own body where the provider has the same operation, a translation otherwise. */
import type { JsonObject } from '../call.ts';
import type { ClientTask, EmbeddingAnswer, VendorTask } from '../dialects/task.ts';
import type { AcceptedTask } from '../exchange.ts';
import type { LiveTarget } from '../generation/generation.ts';
import type { TaskApi } from '../providers/provider.ts';
import { read } from './accept.ts';
import { connectionOf, type Outgoing } from './outgoing.ts';
import { AttemptFailed } from './patience.ts';

export interface OutgoingTask {
  readonly sent: Outgoing;
  readonly task: VendorTask;
  /** The answer in the client's words; undefined where it comes in them. */
  readonly translate:
    | ((body: JsonObject) => { readonly body: JsonObject; readonly usage: EmbeddingAnswer['usage'] })
    | undefined;
}

/** The same operation comes first: it is lossless. */
function apiFor(task: ClientTask, { provider }: LiveTarget): TaskApi | undefined {
  const apis = provider.live?.connection.tasks ?? [];
  const same = apis.find((api) => api.task.name === task.name);
  return same ?? (task.embeddings && apis.find((api) => api.task.embeddings));
}

export const isAnswered =
  (task: ClientTask) =>
  (target: LiveTarget): boolean =>
    apiFor(task, target) !== undefined;

function accepted({ request, call }: AcceptedTask): string {
  if (call.stream) return 'text/event-stream';
  const { accept } = request.headers;
  return accept ?? '*/*';
}

export function outgoingTask(exchange: AcceptedTask, target: LiveTarget): OutgoingTask {
  const { asked, body } = exchange;
  const connection = connectionOf(target);
  const api = apiFor(asked.task, target);
  if (!api) throw new AttemptFailed({ kind: 'not_found' });
  const { task } = api;
  const [first] = connection.apis;
  const to = (payload: { readonly contentType: string }) => {
    const headers = { 'content-type': payload.contentType, accept: accepted(exchange) };
    return { ...first, address: (given: JsonObject) => ({ path: api.path(target.model), body: given, headers }) };
  };
  const { embeddings } = asked.task;
  if (task.name !== asked.task.name && task.embeddings && embeddings) {
    const vendor = task.embeddings;
    const written = read(() => vendor.writeCall(embeddings.readCall(body), target.model));
    const translate = (answered: JsonObject) => {
      const answer = vendor.readAnswer(answered);
      return { body: embeddings.writeAnswer(answer, body), usage: answer.usage };
    };
    const sent = { api: to({ contentType: 'application/json' }), ...written, native: false, headers: {} };
    return { sent, task, translate };
  }
  const payload = exchange.payloadFor(target.model);
  const sent = { api: to(payload), body, bytes: payload.bytes, native: true, dropped: [], headers: {} };
  return { sent, task, translate: undefined };
}
