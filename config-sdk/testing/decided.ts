/** The expectations about one decision, over the trace that `explain` shows. */
import { isDeepStrictEqual } from 'node:util';
import { nanoOf, usdOfNano, type Trace } from '@headgate/runtime/decide';
import type { ErrorCode } from '@headgate/runtime/errors';
import type { Consumer, Decimal, Model, Quota, Route, Target, Upstream } from '../handles.ts';
import { ExpectationFailed } from './expectation.ts';
import type { Decided } from './kit.ts';

const labelOf = (target: Target | string): string =>
  typeof target === 'string' ? target : `${target.provider}/${target.model}`;
const nameOf = (object: { readonly id: string } | string): string => (typeof object === 'string' ? object : object.id);

const rounded = (share: number): number => Math.round(share * 1e6) / 1e6;

export class DecidedRequest implements Decided {
  readonly #trace: Trace;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  get refusal(): ErrorCode | undefined {
    return this.#trace.refusal?.code;
  }

  get consumer(): string | undefined {
    return this.#trace.outcome.consumer;
  }

  get targets(): readonly string[] {
    return this.#trace.outcome.order;
  }

  get prompt(): readonly { readonly role: string; readonly text: string }[] {
    return this.#trace.prompt;
  }

  get kept(): readonly number[] {
    return this.#trace.kept ?? [];
  }

  /** `stages` are those whose lines of configuration decided. */
  #expect(message: string, sides: { expected: unknown; actual: unknown }, stages: readonly string[]): this {
    if (isDeepStrictEqual(sides.actual, sides.expected)) return this;
    const decidedBy = this.#trace.steps
      .filter(({ stage, at }) => at !== undefined && [...stages, 'refused'].includes(stage))
      .map(({ at, object }) => `${at} ${object}`);
    throw new ExpectationFailed(message, { ...sides, decidedBy: [...new Set(decidedBy)] });
  }

  /** What was decided, or that it did not come to that. */
  #unlessRefused<Value>(value: Value): Value | string {
    const { refusal } = this.#trace;
    return refusal ? `refused: ${refusal.code}` : value;
  }

  isFrom(consumer: Consumer | string): this {
    const actual = this.consumer ?? this.#unlessRefused('nobody');
    return this.#expect('the request is from', { expected: nameOf(consumer), actual }, ['consumer', 'token']);
  }

  isAdmitted(): this {
    const actual = this.#unlessRefused('admitted');
    return this.#expect('the request is let through', { expected: 'admitted', actual }, []);
  }

  isRefused(code: ErrorCode): this {
    const actual = this.#unlessRefused('admitted');
    return this.#expect('the request is refused', { expected: `refused: ${code}`, actual }, [
      'key',
      'token',
      'access',
      'model',
      'route',
      'policy',
      'quota',
    ]);
  }

  matches({ kind, id }: Model | Route): this {
    const { matched } = this.#trace.outcome;
    return this.#expect('the request comes to', { expected: `${kind}:${id}`, actual: matched }, ['model', 'route']);
  }

  goesTo(...targets: readonly (Target | string)[]): this {
    const orders = this.#trace.orders ?? [];
    const [only = [...this.targets]] = orders.map((order) => [...order.targets]);
    const actual = this.#unlessRefused(orders.length > 1 ? orders.map((order) => order.targets.join(', ')) : only);
    const message = orders.length > 1 ? 'the targets in order, which is drawn (see startsAt)' : 'the targets in order';
    return this.#expect(message, { expected: targets.map(labelOf), actual }, ['model']);
  }

  startsAt(shares: Readonly<Record<string, number>>): this {
    const firsts: Record<string, number> = {};
    for (const { chance, targets } of this.#trace.orders ?? []) {
      const first = targets[0] ?? '';
      firsts[first] = (firsts[first] ?? 0) + chance;
    }
    const actual = Object.fromEntries(Object.entries(firsts).map(([name, share]) => [name, rounded(share)]));
    const expected = Object.fromEntries(Object.entries(shares).map(([name, share]) => [name, rounded(share)]));
    return this.#expect('the shares of the first target', { expected, actual: this.#unlessRefused(actual) }, ['model']);
  }

  isForwardedTo({ id }: Upstream, path: string): this {
    const { upstream } = this.#trace;
    const actual = this.#unlessRefused(upstream && `${upstream.name} ${upstream.path}`);
    return this.#expect('the request is forwarded to', { expected: `${id} ${path}`, actual }, ['route', 'upstream']);
  }

  prompts(text: string | Readonly<Partial<Record<'system' | 'user', string>>>): this {
    const actual = this.#unlessRefused(Object.fromEntries(this.prompt.map((each) => [each.role, each.text])));
    const expected = typeof text === 'string' ? { system: text } : text;
    return this.#expect('the prompt reads', { expected, actual }, ['prompt', 'model']);
  }

  keeps(positions: readonly number[]): this {
    const actual = this.#unlessRefused(this.kept);
    return this.#expect('the messages that are kept', { expected: [...positions], actual }, ['context']);
  }

  keepsAll(): this {
    const fit = this.#trace.outcome.fit;
    const expected = fit ? [...Array(fit.messages).keys()] : this.kept;
    const actual = this.#unlessRefused(this.kept);
    return this.#expect('all messages are kept', { expected, actual }, ['context']);
  }

  draws(quota: Quota | string, used: number | Decimal): this {
    const name = nameOf(quota);
    const drawn = this.#trace.outcome.drawn.find((each) => each.quota === name);
    const money = (nano: number) => `$${usdOfNano(nano)}`;
    const count = drawn?.unit === 'usd' && drawn.used !== undefined ? money(drawn.used) : drawn?.used;
    const actual = drawn ? count : 'it does not draw from it';
    const expected = typeof used === 'string' ? money(nanoOf(used)) : used;
    return this.#expect(`the count of quota '${name}'`, { expected, actual }, ['quota', 'model', 'consumer']);
  }
}
