/** Tries its first member for requests that meet a condition, and for all others its second, or nobody. */
import { z } from 'zod';
import type { Asking, Balancer } from './balancer.ts';

const names = z.array(z.string().min(1).max(200)).min(1).max(100);
const tokens = z.int().min(0).max(100_000_000);

const options = z
  .strictObject({
    /** Names of consumers, one of which asks. */
    consumers: names.optional(),
    /** Values by the name of a header, in lower case: each header has one of its values. */
    headers: z.record(z.string().regex(/^[a-z0-9-]{1,128}$/, 'write header names in lower case'), names).optional(),
    /** Whether the answer is streamed. */
    stream: z.boolean().optional(),
    /** Whether tools are offered to the model. */
    tools: z.boolean().optional(),
    /** Whether images stand among the messages. */
    images: z.boolean().optional(),
    /** Least tokens that the client sends, as estimated. */
    minTokens: tokens.optional(),
    /** Most tokens that the client sends, as estimated. */
    maxTokens: tokens.optional(),
  })
  .refine((given) => Object.values(given).some((each) => each !== undefined), 'write at least one condition')
  .refine(
    ({ minTokens = 0, maxTokens = Infinity }) => minTokens <= maxTokens,
    'minTokens is above maxTokens: no request can meet both',
  );

type Condition = z.output<typeof options>;

const isOr = (wanted: boolean | undefined, is: () => boolean): boolean => wanted === undefined || wanted === is();

function isMet(
  { consumers, headers = {}, ...condition }: Condition,
  { consumer, call, header, tokens }: Asking,
): boolean {
  const { stream, tools, images, minTokens, maxTokens } = condition;
  const hasImages = () => call.messages.some(({ parts }) => parts.some(({ type }) => type === 'image'));
  return (
    (consumers?.includes(consumer) ?? true) &&
    Object.entries(headers).every(([name, values]) => values.includes(header(name) ?? '')) &&
    isOr(stream, () => call.stream) &&
    isOr(tools, () => call.tools.length > 0) &&
    isOr(images, hasImages) &&
    // Last, because it takes longest.
    (minTokens === undefined || tokens() >= minTokens) &&
    (maxTokens === undefined || tokens() <= maxTokens)
  );
}

const first = [0];
const second = [1];
const nobody: readonly number[] = [];

export const when = {
  options,
  weights: 'refused',
  picksOne: true,
  chances({ members, options: condition }, asking) {
    const met = asking ? Number(isMet(condition, asking)) : 0.5;
    return members.length > 1 ? [met, 1 - met] : [met];
  },
  prepare({ members, options: condition }) {
    const otherwise = members.length > 1 ? second : nobody;
    return ({ asking, random }) => ((asking ? isMet(condition, asking) : random() < 0.5) ? first : otherwise);
  },
} satisfies Balancer<typeof options>;
