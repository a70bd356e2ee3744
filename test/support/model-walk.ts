/** The line of a model in this process, in front of vendors that do as a test says: no socket, and every turn of the event loop counts. */
import type { Usage } from '../../runtime/call.ts';
import { askedFor } from '../../runtime/door.ts';
import { asHeadgateError, type HeadgateError } from '../../runtime/errors.ts';
import type { Dispatchable, Fitted, House, Reserved } from '../../runtime/exchange.ts';
import { offlineGeneration } from '../../runtime/generation/offline.ts';
import { HeldReply } from '../../runtime/held-reply.ts';
import { newOutcome, type Outcome } from '../../runtime/outcome.ts';
import { admit } from '../../runtime/pipeline/admit.ts';
import type { Asked, Attempted } from '../../runtime/pipeline/attempt.ts';
import { Deadline } from '../../runtime/pipeline/deadline.ts';
import { dispatch } from '../../runtime/pipeline/dispatch.ts';
import { findLine } from '../../runtime/pipeline/find-line.ts';
import { lookup } from '../../runtime/pipeline/lookup.ts';
import { settleWhole } from '../../runtime/pipeline/meter.ts';
import { settle } from '../../runtime/pipeline/settle.ts';
import type { Told } from '../../runtime/pipeline/try-target.ts';
import { headOf } from '../../runtime/request-file.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';

export interface Walk {
  readonly model: string;
  readonly house: House;
  /** What an answer took; throws `AttemptFailed` where there is none. */
  readonly vendor: (asked: Asked) => Promise<Usage>;
  readonly outcome?: Outcome;
  /** The client's. */
  readonly signal?: AbortSignal;
}

const key = 'of-a-walk';

export class ModelWalk {
  readonly #generation: Awaited<ReturnType<typeof offlineGeneration>>;

  private constructor(generation: Awaited<ReturnType<typeof offlineGeneration>>) {
    this.#generation = generation;
  }

  static async of(snapshot: SnapshotInput): Promise<ModelWalk> {
    return new ModelWalk(await offlineGeneration(snapshotSchema.parse(snapshot), () => key));
  }

  /** All that comes before a vendor is asked. */
  async admitted({ model, house, outcome, signal }: Omit<Walk, 'vendor'>): Promise<Reserved<Fitted>> {
    const body = { model, max_tokens: 10, messages: [{ role: 'user', content: 'hello' }] };
    const { request, body: bytes } = headOf({ path: '/v1/chat/completions', body }, key);
    const found = findLine(request, askedFor(request), this.#generation.tables);
    if (found.line !== 'call') throw new TypeError(`a model is asked by a call, and not by ${found.line}`);
    const { surface, dialect, says } = found;
    return admit({
      id: model,
      house,
      generation: this.#generation,
      request,
      address: undefined,
      reply: new HeldReply(),
      signal: signal ?? new AbortController().signal,
      outcome: outcome ?? newOutcome(0),
      surface,
      dialect,
      says,
      readBody: () => Promise.resolve(bytes),
    });
  }

  /** Resolves with what ended it; undefined where it was answered. */
  async walk(walk: Walk): Promise<HeadgateError | undefined> {
    let reserved: Reserved<Fitted>;
    try {
      reserved = await this.admitted(walk);
    } catch (error) {
      return asHeadgateError(error);
    }
    const deadline = new Deadline(reserved.signal, reserved.model.deadlineMs);
    let thrown: unknown;
    try {
      const attempt = async (_: unknown, asked: Asked): Promise<Attempted<Told & { usage: Usage }>> => {
        const usage = await walk.vendor(asked);
        return { answered: { target: asked.target, form: 'whole', usage }, dropped: [], usedUpMs: undefined };
      };
      const done = await dispatch<Dispatchable, Told & { usage: Usage }>(lookup(reserved), deadline, attempt);
      settleWhole(done, done.answered.usage, []);
      done.reply.whole(200, 'application/json', '{}');
      done.finish('complete');
    } catch (error) {
      thrown = error;
    } finally {
      deadline.end();
      await settle(reserved, thrown);
    }
    return thrown === undefined ? undefined : asHeadgateError(thrown);
  }
}
