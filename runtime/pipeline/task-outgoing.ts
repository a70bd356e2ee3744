/** What is sent to a target for an operation: the client's own body where the provider has the same operation, a translation otherwise. */
import type { JsonObject } from '../call.ts';
import type { ClientTask, VendorTask } from '../dialects/task.ts';
import { translationOf, type Translation } from '../dialects/task-translation.ts';
import type { AcceptedTask } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { TaskApi } from '../providers/provider.ts';
import { read } from './accept.ts';
import { connectionOf, type Outgoing } from './outgoing.ts';
import { AttemptFailed } from './patience.ts';

export interface OutgoingTask {
  readonly sent: Outgoing;
  /** The rest, where a vendor takes a part of it at a time. */
  readonly more: readonly Outgoing[];
  readonly task: VendorTask;
  /** The answers in the client's words; undefined where the one comes in them. */
  readonly join: Translation['join'] | undefined;
}

/** The same operation comes first: it is lossless. */
function apiFor(task: ClientTask, { provider }: LiveTarget): TaskApi | undefined {
  const apis = provider.live?.connection.tasks ?? [];
  return apis.find((api) => api.task.name === task.name) ?? apis.find((api) => translationOf(task, api.task));
}

export const isAnswered =
  (task: ClientTask) =>
  (target: LiveTarget): boolean =>
    apiFor(task, target) !== undefined;

/** In the same words: nothing is translated. */
export const isAnsweredAs =
  ({ name }: ClientTask) =>
  ({ provider }: LiveTarget): boolean =>
    provider.live?.connection.tasks?.some(({ task }) => task.name === name) === true;

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
  const translate = task.name === asked.task.name ? undefined : translationOf(asked.task, task);
  if (translate) {
    const { requests, dropped, join } = read(() => translate(body, target.model));
    const translated = to({ contentType: 'application/json' });
    const [sent, ...more] = requests.map((each) => ({
      api: translated,
      body: each,
      native: false,
      dropped,
      headers: {},
    }));
    if (sent) return { sent, more, task, join };
  }
  const payload = exchange.payloadFor(target.model);
  const sent = { api: to(payload), body, bytes: payload.bytes, native: true, dropped: [], headers: {} };
  return { sent, more: [], task, join: undefined };
}
