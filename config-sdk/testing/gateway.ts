/** The gateway as a test sees it: the engine that decides, one clock, one set of counts. */
import { surfacePaths, type Decider, type QuotaStore } from '@headgate/runtime/decide';
import type { Consumer, Prompt, Value } from '../handles.ts';
import { near } from '../explain/near.ts';
import { TestClock } from './clock.ts';
import { DecidedRequest } from './decided.ts';
import type { AnyRequest, Decided, GatewayUnderTest, ModelCall } from './kit.ts';

export class DecidedGateway implements GatewayUnderTest {
  readonly clock = new TestClock();
  readonly #decider: Decider;
  readonly #quotas: QuotaStore = this.clock.store();
  #unanswered = 0;

  constructor(decider: Decider) {
    this.#decider = decider;
  }

  /** Requests that are still being decided. */
  get unanswered(): number {
    return this.#unanswered;
  }

  #nameOf(consumer: Consumer | string): string {
    const name = typeof consumer === 'string' ? consumer : consumer.id;
    const known = this.#decider.names('consumers');
    if (known.includes(name)) return name;
    const [meant] = near(name, known);
    throw new RangeError(`no consumer is named '${name}'${meant === undefined ? '' : `: did you mean '${meant}'?`}`);
  }

  ask({ model, messages, metadata, body, headers, ...others }: ModelCall): Promise<Decided> {
    return this.send({
      ...others,
      path: surfacePaths[0] ?? '',
      ...(headers && { headers }),
      body: {
        ...body,
        ...(metadata && { metadata }),
        model: typeof model === 'string' ? model : model.id,
        messages: messages ?? [{ role: 'user', content: 'Hello' }],
      },
    });
  }

  async send({ consumer, key, issuer, spends, inFlight, ...request }: AnyRequest): Promise<Decided> {
    const asked = {
      ...request,
      ...(consumer !== undefined && { consumer: this.#nameOf(consumer) }),
      ...(key !== undefined && { key: typeof key === 'string' ? key : key.hash }),
      ...(issuer !== undefined && { issuer: typeof issuer === 'string' ? issuer : issuer.id }),
    };
    this.#unanswered += 1;
    try {
      const circumstances = { at: Date.parse(this.clock.now), quotas: this.#quotas, spends, stays: inFlight };
      return new DecidedRequest(this.#decider.explain(await this.#decider.decide(asked, circumstances)));
    } finally {
      this.#unanswered -= 1;
    }
  }

  render<Variables extends Record<string, Value>>(
    prompt: Prompt<Variables>,
    values: { readonly [Name in keyof Variables]: Extract<Variables[Name], string> },
  ): Partial<Record<'system' | 'user', string>> {
    return Object.fromEntries(this.#decider.render(prompt.id, values).map(({ role, text }) => [role, text]));
  }
}
