/** The tokens and the cost of replayed requests on both sides; prices are exact decimals, and what has none is told apart. */
import { messageTokens } from '@headgate/runtime/context/message-tokens';
import type { Decision } from '@headgate/runtime/decide';
import { costOf, priceOf, type Priced } from '../cost.ts';
import type { Sides } from '../revision.ts';
import type { Asked } from './tally.ts';

export interface Spent {
  /** Model calls that either side lets through. */
  readonly calls: number;
  /** Of those, the ones whose conversation has no known size: they are in no sum. */
  readonly unsized: number;
  /** Sent to models, as estimated, prompts included. */
  readonly inputTokens: { readonly before: number; readonly after: number };
  /** Calls at targets with a known price on each side that lets them through. */
  readonly priced: number;
  /** Of those, the ones whose answer was not recorded: only their input is counted. */
  readonly withoutOutput: number;
  /** In USD, of the priced ones. */
  readonly cost: { readonly before: string; readonly after: string };
}

/** Calls with the same first target before, and the same after. */
interface Way {
  readonly before: string | undefined;
  readonly after: string | undefined;
  calls: number;
  inputBefore: number;
  inputAfter: number;
  output: number;
  withoutOutput: number;
}

/** Undefined when it is refused, or goes to no model. */
function sentTokens({ refusal, outcome, prompt }: Decision, conversation: number): number | undefined {
  if (refusal || outcome.order.length === 0) return undefined;
  const tokens = (text: string) => messageTokens({ role: 'system', parts: [{ type: 'text', text }] });
  return outcome.fit?.tokens ?? prompt.reduce((sum, { text }) => sum + tokens(text), conversation);
}

const isSent = ({ refusal, outcome }: Decision): boolean => !refusal && outcome.order.length > 0;

function partsOf(snapshot: Sides['base'], label: string, tokens: { input: number; output: number }) {
  const [provider = '', model = ''] = /^([^/]*)\/(.*)$/s.exec(label)?.slice(1) ?? [];
  const [input, output] = [
    priceOf(snapshot, { provider, model }, 'input'),
    priceOf(snapshot, { provider, model }, 'output'),
  ];
  if (input === undefined || output === undefined) return undefined;
  return [
    { tokens: tokens.input, price: input },
    { tokens: tokens.output, price: output },
  ];
}

export class Spending {
  readonly #ways = new Map<string, Way>();
  #calls = 0;
  #unsized = 0;

  add({ tokens, outputTokens }: Asked, before: Decision, after: Decision): void {
    if (!isSent(before) && !isSent(after)) return;
    this.#calls += 1;
    if (tokens === undefined) {
      this.#unsized += 1;
      return;
    }
    const [old, now] = [sentTokens(before, tokens), sentTokens(after, tokens)];
    const way = this.#way(
      old === undefined ? undefined : before.outcome.order[0],
      now === undefined ? undefined : after.outcome.order[0],
    );
    way.calls += 1;
    way.inputBefore += old ?? 0;
    way.inputAfter += now ?? 0;
    way.output += outputTokens ?? 0;
    if (outputTokens === undefined) way.withoutOutput += 1;
  }

  #way(before: string | undefined, after: string | undefined): Way {
    const key = `${before ?? ''}\n${after ?? ''}`;
    const known = this.#ways.get(key);
    if (known) return known;
    const begun = { before, after, calls: 0, inputBefore: 0, inputAfter: 0, output: 0, withoutOutput: 0 };
    this.#ways.set(key, begun);
    return begun;
  }

  finish({ base, head }: Sides): Spent {
    const ways = [...this.#ways.values()];
    const sum = (of: (way: Way) => number) => ways.reduce((total, way) => total + of(way), 0);
    const cost = { before: [] as Priced[], after: [] as Priced[] };
    let [priced, withoutOutput] = [0, 0];
    for (const way of ways) {
      const { before, after, output } = way;
      // What is refused costs nothing.
      const old = before === undefined ? [] : partsOf(base, before, { input: way.inputBefore, output });
      const now = after === undefined ? [] : partsOf(head, after, { input: way.inputAfter, output });
      if (!old || !now) continue;
      cost.before.push(...old);
      cost.after.push(...now);
      priced += way.calls;
      withoutOutput += way.withoutOutput;
    }
    return {
      calls: this.#calls,
      unsized: this.#unsized,
      inputTokens: { before: sum((way) => way.inputBefore), after: sum((way) => way.inputAfter) },
      priced,
      withoutOutput,
      cost: { before: costOf(cost.before), after: costOf(cost.after) },
    };
  }
}
