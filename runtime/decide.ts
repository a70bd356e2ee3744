/**
 * Decides requests without serving them: the stages that serve live, over a generation that is built as live, with no socket,
 * no secret and no provider. What `explain`, `test` and the replay of traffic share.
 */
import { randomBytes } from 'node:crypto';
import type { Asking } from './balancing/balancer.ts';
import type { Call, JsonObject, Message } from './call.ts';
import type { Decider, Decision, Refusal, Trace } from './decision.ts';
import { askedFor } from './door.ts';
import { asHeadgateError } from './errors.ts';
import type { Exchange, Lease } from './exchange.ts';
import type { Generation } from './generation/generation.ts';
import type { LiveConsumer } from './generation/live.ts';
import { offlineGeneration } from './generation/offline.ts';
import { bindPrompt } from './generation/template.ts';
import { HeldReply } from './held-reply.ts';
import { endOffline, type Circumstances } from './offline-end.ts';
import { keyFor, meantBy, noteCaller, stepsOfCaller } from './offline-caller.ts';
import { offlineHouse } from './offline-house.ts';
import { newOutcome } from './outcome.ts';
import { maxCallBytes, tooLarge } from './pipeline/accept.ts';
import { admit } from './pipeline/admit.ts';
import { admitHoldings } from './pipeline/admit-holdings.ts';
import { admitTask } from './pipeline/admit-task.ts';
import { askingOf } from './pipeline/asking.ts';
import { admitCount } from './pipeline/count-line.ts';
import { pathAtUpstream } from './generation/routes.ts';
import { admitRoute } from './pipeline/admit-route.ts';
import { findLine, surfaceName, type Line } from './pipeline/find-line.ts';
import { modelsLine } from './pipeline/models-line.ts';
import { headOf, momentOf, type AskedRequest } from './request-file.ts';
import type { Snapshot, SnapshotInput } from './snapshot.ts';
import { checkSnapshot } from './sync/check-snapshot.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { toldOrders } from './told-orders.ts';
import { matchedObject, stepsOf } from './trace.ts';

export { nanoOf, usdOfNano } from './cost.ts';
export { plainPath } from './door.ts';
export { RouteTable } from './generation/routes.ts';
export { seededRandom } from './seeded-random.ts';
export { isCallPath, isTaskPath, surfacePaths } from './pipeline/find-line.ts';
export type { RequestTrace } from './telemetry/recent-requests.ts';
export { memoryStore } from './quota/memory.ts';
export { StoreUnavailable, type QuotaStore } from './quota/store.ts';
export { readRequest, RequestProblem, type AskedRequest } from './request-file.ts';
export type { Decider, Decision, Refusal, Trace } from './decision.ts';
export type { Circumstances } from './offline-end.ts';
export type { Outcome } from './outcome.ts';
export type { Order } from './told-orders.ts';
export type { Step } from './trace.ts';

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
  /** What each decision was about, for those who ask who that was and what else could have been drawn. */
  readonly #asked = new WeakMap<Decision, { readonly asked: AskedRequest; readonly asking: Asking | undefined }>();

  constructor(snapshot: Snapshot, generation: Generation, keyOf: (consumer: string) => string) {
    this.snapshot = snapshot;
    this.sourceOf = generation.tables.sourceOf;
    this.#generation = generation;
    this.#keyOf = keyOf;
  }

  async decide(asked: AskedRequest, circumstances: Circumstances = {}): Promise<Decision> {
    const at = circumstances.at ?? (asked.at === undefined ? undefined : momentOf(asked.at));
    const outcome = newOutcome(at);
    const { request, body } = headOf(asked, keyFor(asked, this.#keyOf));
    const known = { snapshot: this.snapshot, tables: this.#generation.tables, now: outcome.startedAt };
    const exchange: Walked = {
      id: 'offline',
      house: offlineHouse(this.#metrics, { ...circumstances, at: outcome.startedAt }),
      generation: this.#generation,
      request,
      address: noteCaller(asked, request, known),
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
    const asking = call && consumer && sent && askingOf({ call, body: sent, consumer, request });
    this.#asked.set(decision, { asked, asking });
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
    const { tables } = this.#generation;
    const { asked, asking } = this.#asked.get(decision) ?? {};
    const known = { snapshot: this.snapshot, tables, now: outcome.startedAt };
    const steps = stepsOf(facts, this.sourceOf).flatMap((step) => {
      if (step.stage === 'consumer' && asked) return [step, ...stepsOfCaller(asked, outcome.consumer, known)];
      const isStranger = step.stage === 'refused' && outcome.consumer === undefined;
      return isStranger && asked ? [...stepsOfCaller(asked, undefined, known), step] : step;
    });
    if (upstream) {
      const object = `upstreams.${upstream.name}`;
      const at = this.sourceOf(object);
      steps.push({ stage: 'upstream', said: `${upstream.name}, at ${upstream.path}`, object, ...(at && { at }) });
    }
    const [sort, name = ''] = matchedObject(outcome) ?? [];
    const served = outcome.downgraded.at(-1)?.to ?? name;
    const drawn = sort === 'model' ? tables.models.get(served)?.orders(asking) : undefined;
    return { ...decision, steps, orders: drawn && toldOrders(drawn, outcome) };
  }

  meant(asked: AskedRequest): readonly string[] {
    const { snapshot } = this;
    return meantBy(asked, { snapshot, tables: this.#generation.tables, now: momentOf(asked.at ?? '') ?? Date.now() });
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
