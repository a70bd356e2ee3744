/** A request that takes one path of the decision graph, as `explain` reads it: what a promise that does not hold is shown with. */
import { factsIn, firstChances } from './balanced-group.ts';
import type { Given } from './balancing/balancer.ts';
import type { JsonObject } from './call.ts';
import { claimAt, claimsThatMeet, meetsClaim } from './claim-condition.ts';
import type { ModelKind } from './model-kind.ts';
import { surfacePaths, taskPathFor } from './pipeline/find-line.ts';
import {
  schemaOf,
  balancerKinds,
  providerKinds,
  type ModelSnapshot,
  type Snapshot,
  type TargetNode,
} from './snapshot.ts';

/** What is known of a request beside who asks. */
export type Asked = Omit<Given, 'consumer' | 'consumerTags' | 'hasTokens'>;

export interface PathEnds {
  readonly consumer: string;
  readonly sort: 'model' | 'route' | 'files';
  readonly entry: string;
  /** Of a model: `provider/model`. What conditions on the way ask for is said in the request. */
  readonly end?: string;
  /** What else the request must say. */
  readonly given?: Asked;
}

const together = (one: Asked, other: Asked): Asked => ({
  ...one,
  ...other,
  claims: { ...one.claims, ...other.claims },
  headers: { ...one.headers, ...other.headers },
  metadata: { ...one.metadata, ...other.metadata },
});

/** What requests say that come to a target of this name, each way it can be reached. */
function* waysTo(node: TargetNode, end: string): Generator<Asked> {
  if (node.kind === 'target') {
    if (`${node.provider}/${node.model}` === end) yield {};
    return;
  }
  for (const [index, member] of node.of.entries())
    for (const below of waysTo(member.node, end))
      yield together(balancerKinds[node.balance]?.saysFor?.(node.options, index) ?? {}, below);
}

/** As a request that says this and nothing else: what any of the ways speaks of, and this one does not, is absent. */
function wholly(way: Asked, ways: readonly Asked[]): Asked {
  const blank = (sort: 'claims' | 'headers' | 'metadata'): Record<string, string> =>
    Object.fromEntries(ways.flatMap((each) => Object.keys(each[sort] ?? {}).map((name) => [name, ''])));
  const absent = { stream: false, tools: false, images: false };
  return together({ ...absent, claims: blank('claims'), headers: blank('headers'), metadata: blank('metadata') }, way);
}

function askedOn({ consumer, end, given = {} }: PathEnds, { targets }: ModelSnapshot, snapshot: Snapshot): Asked {
  if (end === undefined) return given;
  const { tags: consumerTags = [], jwt = [] } = snapshot.consumers[consumer] ?? {};
  const who = { consumer, consumerTags, hasTokens: jwt.length > 0 };
  const ways = [...waysTo(targets, end)].map((way) => together(way, given));
  const leadsThere = (way: Asked): boolean =>
    firstChances(targets, factsIn(snapshot), { ...wholly(way, ways), ...who }).each.some(
      ({ node }) => `${node.provider}/${node.model}` === end,
    );
  return ways.find(leadsThere) ?? given;
}

/** What operations beside chat cannot do without. */
const saidTo: Readonly<Partial<Record<ModelKind, object>>> = {
  completion: { prompt: 'Hello' },
  embedding: { input: 'Hello' },
  image: { prompt: 'Hello' },
  moderation: { input: 'Hello' },
  rerank: { query: 'Hello', documents: ['Hello'] },
  speech: { input: 'Hello', voice: 'alloy' },
};

function kindOf(node: TargetNode, snapshot: Snapshot): ModelKind {
  if (node.kind === 'target') return snapshot.providers[node.provider]?.models[node.model]?.kind ?? 'chat';
  const [first] = node.of;
  return first ? kindOf(first.node, snapshot) : 'chat';
}

const image = { type: 'image_url', image_url: { url: 'https://example.com/image.png' } };
const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } };

/** With what makes them stand for this consumer, as far as that does not contradict them. */
function claimsOfConsumer(name: string, claims: JsonObject, { consumers, issuers }: Snapshot): JsonObject {
  const [use] = consumers[name]?.jwt ?? [];
  if (!use) return claims;
  const { consumerClaim } = issuers[use.issuer] ?? {};
  const demanded = [...(consumerClaim ? [{ claim: consumerClaim, is: [name] }] : []), ...(use.where ?? [])];
  const absent = demanded.filter(
    (each) => !meetsClaim(each, claims) && ('includes' in each || claimAt(claims, each.claim) === undefined),
  );
  return claimsThatMeet(absent, claims);
}

function callTo(ends: PathEnds, snapshot: Snapshot): object {
  const { consumer, entry } = ends;
  const model = snapshot.models[entry];
  const {
    claims = {},
    headers = {},
    metadata = {},
    stream,
    tools,
    images,
  } = model ? askedOn(ends, model, snapshot) : {};
  const kind = model ? kindOf(model.targets, snapshot) : 'chat';
  const task = taskPathFor(kind);
  const content = images ? [{ type: 'text', text: 'Hello' }, image] : 'Hello';
  const body = {
    model: entry,
    ...(task === undefined ? { messages: [{ role: 'user', content }] } : saidTo[kind]),
    ...(stream && { stream }),
    ...(tools && { tools: [tool] }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
  return {
    path: task?.replace('{model}', entry) ?? surfacePaths[0],
    consumer,
    ...(Object.keys(claims).length > 0 && { claims: claimsOfConsumer(consumer, claims, snapshot) }),
    ...(Object.keys(headers).length > 0 && { headers }),
    body,
  };
}

/** Which of a provider's paths is meant nobody says. */
function firstOfHoldings({ providers }: Snapshot, name: string): object {
  const { kind: of = '', options: given } = providers[name] ?? {};
  const kind = providerKinds[of];
  const options = (kind && schemaOf(kind.options))?.safeParse(given);
  const requests = options?.success && kind?.connect(options.data, () => 'absent').holdings?.holdings.requests;
  const [{ method, path } = { method: 'GET', path: '/' }] = requests || [];
  return { method, path };
}

export function requestTo(ends: PathEnds, snapshot: Snapshot): object {
  const { consumer, sort, entry } = ends;
  if (sort === 'model') return callTo(ends, snapshot);
  if (sort === 'files') return { ...firstOfHoldings(snapshot, entry), consumer };
  const { path = '/', methods, host } = snapshot.routes[entry] ?? {};
  return { method: methods?.[0] ?? 'GET', path: path.replace(/\*$/, '1'), ...(host && { host }), consumer };
}
