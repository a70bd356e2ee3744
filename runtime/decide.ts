/**
 * Decides requests without serving them: the stages that serve live, over a generation that is built as live, with no socket,
 * no secret and no provider. What `explain`, `test` and the replay of traffic share.
 */
import { randomBytes } from 'node:crypto';
import type { Asking } from './balancing/balancer.ts';
import type { Call, JsonObject, Message } from './call.ts';
import { askedFor } from './door.ts';
import { asHeadgateError, type ErrorCode } from './errors.ts';
import type { Exchange, Lease } from './exchange.ts';
import type { Generation } from './generation/generation.ts';
import type { LiveConsumer } from './generation/live.ts';
import { offlineGeneration } from './generation/offline.ts';
import { bindPrompt } from './generation/template.ts';
import { HeldReply } from './held-reply.ts';
import { endOffline, type Circumstances } from './offline-end.ts';
import { offlineHouse } from './offline-house.ts';
import { newOutcome, type Outcome } from './outcome.ts';
import { maxCallBytes, tooLarge } from './pipeline/accept.ts';
import { admit } from './pipeline/admit.ts';
import { admitHoldings } from './pipeline/admit-holdings.ts';
import { admitTask } from './pipeline/admit-task.ts';
import { askingOf } from './pipeline/asking.ts';
import { noteClaims } from './pipeline/credentials.ts';
import { admitCount } from './pipeline/count-line.ts';
import { pathAtUpstream } from './generation/routes.ts';
import { admitRoute } from './pipeline/admit-route.ts';
import { findLine, surfaceName, type Line } from './pipeline/find-line.ts';
import { modelsLine } from './pipeline/models-line.ts';
import { headOf, type AskedRequest } from './request-file.ts';
import type { Snapshot, SnapshotInput } from './snapshot.ts';
import { checkSnapshot } from './sync/check-snapshot.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { toldOrders, type Order } from './told-orders.ts';
import { matchedObject, stepsOf, type Step } from './trace.ts';

export { nanoOf, usdOfNano } from './cost.ts';
export { plainPath } from './door.ts';
export { RouteTable } from './generation/routes.ts';
export { seededRandom } from './seeded-random.ts';
export { isCallPath, isTaskPath, surfacePaths } from './pipeline/find-line.ts';
export type { RequestTrace } from './telemetry/recent-requests.ts';
export { memoryStore } from './quota/memory.ts';
export { StoreUnavailable, type QuotaStore } from './quota/store.ts';
export { readRequest, RequestProblem, type AskedRequest } from './request-file.ts';
export type { Circumstances } from './offline-end.ts';
export type { Outcome } from './outcome.ts';
export type { Order } from './told-orders.ts';
export type { Step } from './trace.ts';

export interface Refusal {
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
  readonly param?: string;
  /** `collection.name` of what in the configuration decided so. */
  readonly object?: string;
}

export interface Decision {
  readonly method: string;
  readonly path: string;
  /** Name of the API that the client speaks; undefined for routes. */
  readonly surface: string | undefined;
  readonly outcome: Outcome;
  readonly refusal: Refusal | undefined;
  /** The messages of the prompt, rendered. */
  readonly prompt: readonly { readonly role: string; readonly text: string }[];
  /** Indices of the client's messages that go to the model; undefined when it did not come to that. */
  readonly kept: readonly number[] | undefined;
  /** Where a route sends it. */
  readonly upstream: { readonly name: string; readonly path: string } | undefined;
}

export interface Trace extends Decision {
  readonly steps: readonly Step[];
  /** What may be drawn of the targets; undefined for routes, refusals before the model, and more orders than can be told. */
  readonly orders: readonly Order[] | undefined;
}

export interface Decider {
  readonly snapshot: Snapshot;
  decide(request: AskedRequest, circumstances?: Circumstances): Promise<Decision>;
  /** The decision in words, with the line of configuration behind each. */
  explain(decision: Decision): Trace;
  /** A prompt's messages with these values. Throws `HeadgateError` when one is missing. */
  render(prompt: string, values: Readonly<Record<string, string>>): readonly { role: string; text: string }[];
  readonly sourceOf: (object: string) => string | undefined;
  readonly names: (sort: 'models' | 'routes' | 'consumers' | 'prompts' | 'quotas') => readonly string[];
}

const textsOf = (messages: readonly Message[]) =>
  messages.map(({ role, parts }) => ({
    role,
    text: parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
  }));

/** What the stages leave on an exchange, as far as they came. */
type Walked = Exchange & {
  readonly prepend?: readonly Message[];
  readonly consumer?: LiveConsumer;
  readonly body?: JsonObject;
  readonly call?: Call;
  readonly guarded?: true;
  readonly keep?: readonly number[];
  readonly lease?: Lease;
};

async function walk(found: Line, exchange: Exchange, asked: { path: string; body: Buffer }): Promise<void> {
  const { body, path } = asked;
  if (found.line === 'none') {
    exchange.outcome.matched = found.matched;
    throw found.error;
  }
  if (found.line === 'models') {
    exchange.outcome.matched = 'models';
    return modelsLine(Object.assign(exchange, { surface: found.surface }), found.name);
  }
  if (found.line === 'route') {
    await admitRoute(Object.assign(exchange, { route: found.route, path }));
    return;
  }
  if (found.line === 'holdings') {
    await admitHoldings(Object.assign(exchange, found));
    return;
  }
  const readBody = () => (body.byteLength > maxCallBytes ? Promise.reject(tooLarge()) : Promise.resolve(body));
  if (found.line === 'task') {
    await admitTask(Object.assign(exchange, { ...found, readBody }));
    return;
  }
  const { surface, dialect, says, writeCount } = found;
  const called = Object.assign(exchange, { surface, dialect, says, readBody });
  await (writeCount ? admitCount(called) : admit(called));
}

function refusalOf(thrown: unknown): Refusal {
  const { code, status, message, param, object, cause } = asHeadgateError(thrown);
  if (code === 'internal_error')
    throw new Error('a stage failed where live it would have said internal_error', { cause });
  return { code, status, message, ...(param !== undefined && { param }), ...(object !== undefined && { object }) };
}

class OfflineDecider implements Decider {
  readonly snapshot: Snapshot;
  readonly sourceOf: (object: string) => string | undefined;
  readonly #generation: Generation;
  readonly #keyOf: (consumer: string) => string;
  readonly #metrics = createMetrics();
  /** What each decision was about, for those who ask what else could have been drawn. */
  readonly #asked = new WeakMap<Decision, Asking>();

  constructor(snapshot: Snapshot, generation: Generation, keyOf: (consumer: string) => string) {
    this.snapshot = snapshot;
    this.sourceOf = generation.tables.sourceOf;
    this.#generation = generation;
    this.#keyOf = keyOf;
  }

  async decide(asked: AskedRequest, circumstances: Circumstances = {}): Promise<Decision> {
    const key = asked.consumer === undefined ? undefined : this.#keyOf(asked.consumer);
    const { request, body } = headOf(asked, key);
    if (asked.claims) noteClaims(request.headers, asked.claims);
    const outcome = newOutcome(circumstances.at);
    const exchange: Walked = {
      id: 'offline',
      house: offlineHouse(this.#metrics, circumstances),
      generation: this.#generation,
      request,
      address: undefined,
      reply: new HeldReply(),
      signal: new AbortController().signal,
      outcome,
    };
    let found: Line | undefined;
    let refusal: Refusal | undefined;
    let { path } = asked;
    try {
      const where = askedFor(request);
      ({ path } = where);
      found = findLine(request, where, this.#generation.tables);
      await walk(found, exchange, { path, body });
      await endOffline(exchange, circumstances);
    } catch (error) {
      refusal = refusalOf(error);
      outcome.code = refusal.code;
      outcome.endedBy = refusal.object;
    }
    const decision = this.#decision({ method: request.method ?? '', path, found, refusal }, exchange);
    const { call, consumer, body: sent } = exchange;
    if (call && consumer && sent) this.#asked.set(decision, askingOf({ call, body: sent, consumer, request }));
    return decision;
  }

  #decision(
    asked: Pick<Decision, 'method' | 'path' | 'refusal'> & { readonly found: Line | undefined },
    { outcome, prepend, keep, call, guarded }: Walked,
  ): Decision {
    const { found, method, path, refusal } = asked;
    const surface = found && 'surface' in found && found.surface ? surfaceName(found.surface) : undefined;
    // Only what was fitted has a view: a refusal before it decided nothing about messages.
    const fitted = found?.line === 'call' && call && guarded && refusal?.code !== 'context_length_exceeded';
    const upstream =
      found?.line === 'route' && !refusal
        ? { name: found.route.upstream.name, path: found.route.upstream.path + pathAtUpstream(found.route, path) }
        : undefined;
    const kept = fitted ? (keep ?? [...call.messages.keys()]) : undefined;
    return { method, path, surface, outcome, refusal, prompt: textsOf(prepend ?? []), kept, upstream };
  }

  explain(decision: Decision): Trace {
    const { method, path, surface, outcome, refusal, upstream } = decision;
    const facts = { method, path, surface, outcome, status: refusal?.status, message: refusal?.message };
    const steps = [...stepsOf(facts, this.sourceOf)];
    if (upstream) {
      const object = `upstreams.${upstream.name}`;
      const at = this.sourceOf(object);
      steps.push({ stage: 'upstream', said: `${upstream.name}, at ${upstream.path}`, object, ...(at && { at }) });
    }
    const [sort, name = ''] = matchedObject(outcome) ?? [];
    const served = outcome.downgraded.at(-1)?.to ?? name;
    const model = sort === 'model' ? this.#generation.tables.models.get(served) : undefined;
    const drawn = model?.orders(this.#asked.get(decision));
    return { ...decision, steps, orders: drawn && toldOrders(drawn, outcome) };
  }

  render(name: string, values: Readonly<Record<string, string>>): readonly { role: string; text: string }[] {
    const prompt = this.snapshot.prompts[name];
    if (!prompt) throw new RangeError(`there is no prompt '${name}'`);
    return textsOf(bindPrompt(prompt, values)(() => undefined));
  }

  names(sort: 'models' | 'routes' | 'consumers' | 'prompts' | 'quotas'): readonly string[] {
    return Object.keys(this.snapshot[sort]);
  }
}

/** Rejects with `ArtifactRefused` where the runtime would refuse to serve the snapshot. */
export async function openDecider(input: SnapshotInput | JsonObject): Promise<Decider> {
  const snapshot = checkSnapshot(input);
  const secret = randomBytes(16).toString('hex');
  const keyOf = (consumer: string) => `offline-${secret}-${consumer}`;
  return new OfflineDecider(snapshot, await offlineGeneration(snapshot, keyOf), keyOf);
}
