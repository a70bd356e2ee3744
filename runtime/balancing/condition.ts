/** Conditions on a request: met, not met, or open where nobody knows the request yet. */
import {
  claimAt,
  claimCondition,
  claimsThatMeet,
  meetsClaim,
  type ClaimConditionSnapshot,
} from '../claim-condition.ts';
import type { OutputOf, Zod } from '../zod.ts';
import type { Asking, Given } from './balancer.ts';

const names = (z: Zod) => z.array(z.string().min(1).max(200)).min(1).max(100);
const tokens = (z: Zod) => z.int().min(0).max(100_000_000);

export const condition = (z: Zod) =>
  z
    .strictObject({
      /** Names of consumers, one of which asks. */
      consumers: names(z).optional(),
      /** Tags of consumers, one of which the consumer carries. */
      consumerTags: names(z).optional(),
      /** What the claims of the token must say; without a token they say nothing. */
      claims: z.array(claimCondition(z)).min(1).max(16).optional(),
      /** Values by the name of a header, in lower case: each header has one of its values. */
      headers: z
        .record(z.string().regex(/^[a-z0-9-]{1,128}$/, 'write header names in lower case'), names(z))
        .optional(),
      /** Values by their name in the `metadata` of the body: each has one of its values. */
      metadata: z.record(z.string().min(1).max(128), names(z)).optional(),
      /** Whether the answer is streamed. */
      stream: z.boolean().optional(),
      /** Whether tools are offered to the model. */
      tools: z.boolean().optional(),
      /** Whether images stand among the messages. */
      images: z.boolean().optional(),
      /** Least tokens that the client sends, as estimated. */
      minTokens: tokens(z).optional(),
      /** Most tokens that the client sends, as estimated. */
      maxTokens: tokens(z).optional(),
    })
    .refine((given) => Object.values(given).some((each) => each !== undefined), 'write at least one condition')
    .refine(
      ({ minTokens = 0, maxTokens = Infinity }) => minTokens <= maxTokens,
      'minTokens is above maxTokens: no request can meet both',
    );

export type Condition = OutputOf<typeof condition>;

/** Undefined where it depends on what is not known. */
type Answer = boolean | undefined;

const isAmong = (values: readonly string[], value: string | undefined): Answer =>
  value === undefined ? undefined : values.includes(value);
const is = (wanted: boolean, actual: boolean | undefined): Answer =>
  actual === undefined ? undefined : actual === wanted;

/** Of the request at hand, an absent value is an empty one. */
interface Facts {
  readonly consumer: string | undefined;
  readonly consumerTags: readonly string[] | undefined;
  readonly claim: (wanted: ClaimConditionSnapshot) => Answer;
  readonly header: (name: string) => string | undefined;
  readonly metadata: (name: string) => string | undefined;
  readonly stream: boolean | undefined;
  readonly tools: () => boolean | undefined;
  readonly images: () => boolean | undefined;
  readonly tokens: () => number | undefined;
}

export const hasImages = ({ call }: Pick<Asking, 'call'>): boolean =>
  call.messages.some(({ parts }) => parts.some(({ type }) => type === 'image'));

const factsOf = (asking: Asking): Facts => ({
  consumer: asking.consumer,
  consumerTags: asking.consumerTags,
  claim: (wanted) => asking.claims !== undefined && meetsClaim(wanted, asking.claims),
  header: (name) => asking.header(name) ?? '',
  metadata: (name) => asking.metadata(name) ?? '',
  stream: asking.call.stream,
  tools: () => asking.call.tools.length > 0,
  images: () => hasImages(asking),
  tokens: asking.tokens,
});

function claimGiven(wanted: ClaimConditionSnapshot, { hasTokens, claims = {} }: Given): Answer {
  if (hasTokens === false) return false;
  const [outermost = ''] = wanted.claim;
  return claimAt(claims, [outermost]) === undefined ? undefined : meetsClaim(wanted, claims);
}

const factsGiven = (given: Given): Facts => ({
  consumer: given.consumer,
  consumerTags: given.consumerTags,
  claim: (wanted) => claimGiven(wanted, given),
  header: (name) => given.headers?.[name],
  metadata: (name) => given.metadata?.[name],
  stream: given.stream,
  tools: () => given.tools,
  images: () => given.images,
  tokens: () => undefined,
});

/** One after the other, what takes longest last. */
function* clauses(wanted: Condition, facts: Facts): Generator<Answer> {
  const { consumers, consumerTags: tags, claims = [], headers = {}, metadata = {}, stream, tools, images } = wanted;
  const { minTokens = 0, maxTokens = Infinity } = wanted;
  if (consumers) yield isAmong(consumers, facts.consumer);
  if (tags) yield facts.consumerTags?.some((tag) => tags.includes(tag));
  for (const claim of claims) yield facts.claim(claim);
  for (const [name, values] of Object.entries(headers)) yield isAmong(values, facts.header(name));
  for (const [name, values] of Object.entries(metadata)) yield isAmong(values, facts.metadata(name));
  if (stream !== undefined) yield is(stream, facts.stream);
  if (tools !== undefined) yield is(tools, facts.tools());
  if (images !== undefined) yield is(images, facts.images());
  if (minTokens === 0 && maxTokens === Infinity) return;
  const size = facts.tokens();
  yield size === undefined ? undefined : size >= minTokens && size <= maxTokens;
}

function judged(wanted: Condition, facts: Facts): Answer {
  let answer: Answer = true;
  for (const clause of clauses(wanted, facts)) {
    if (clause === false) return false;
    if (clause === undefined) answer = undefined;
  }
  return answer;
}

export const asksWho = ({ consumers, consumerTags, claims }: Condition): boolean =>
  consumers !== undefined || consumerTags !== undefined || claims !== undefined;

export const isMet = (wanted: Condition, asking: Asking): boolean => judged(wanted, factsOf(asking)) === true;

/** How many of all requests of which `given` is known meet it: half, where that is not enough to tell. */
export function shareThatMeets(wanted: Condition, asking: Asking | undefined, given: Given = {}): number {
  const answer = judged(wanted, asking ? factsOf(asking) : factsGiven(given));
  return answer === undefined ? 0.5 : Number(answer);
}

/** What a request says that meets it; its length and who asks are left open. */
export function exampleOf({ claims, headers = {}, metadata = {}, stream, tools, images }: Condition): Given {
  const firsts = (values: Readonly<Record<string, readonly string[]>>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, [first = '']]) => [name, first]));
  return {
    ...(claims && { claims: claimsThatMeet(claims) }),
    headers: firsts(headers),
    metadata: firsts(metadata),
    ...(stream && { stream }),
    ...(tools && { tools }),
    ...(images && { images }),
  };
}

/** What a request says that does not meet it, where one that says nothing would. */
export const counterexampleOf = ({ stream, tools, images }: Condition): Given => ({
  ...(stream === false && { stream: true }),
  ...(tools === false && { tools: true }),
  ...(images === false && { images: true }),
});
