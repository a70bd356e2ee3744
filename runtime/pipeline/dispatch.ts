/**
 * Looks for a target that answers: in order, with each one's keys and retries, those in poor health last. Only before the
 * client's first byte: after it there is no way back.
 */
import type { Dispatchable } from '../exchange.ts';
import type { LiveKey, LiveTarget } from '../generation/live.ts';
import { HeadgateError } from '../errors.ts';
import { Contenders } from './contenders.ts';
import type { Deadline } from './deadline.ts';
import { shorter, tellShorter, type Shorter } from './fit.ts';
import { moves, refusal } from './moves.ts';
import { Onward } from './onward.ts';
import { AttemptFailed } from './patience.ts';
import { Places } from './places.ts';
import { firstOf } from './race.ts';
import { Retries } from './retries.ts';
import { shapeOf } from './shape.ts';
import { noteOutrun, tellAnswer, tryTarget, type Attempt, type Found, type Told, type Tried } from './try-target.ts';

/** When a target that is rate limited said it can be asked again. */
interface Appointment {
  readonly target: LiveTarget;
  readonly at: number;
}

class Search<E extends Dispatchable, Answer extends Told> {
  readonly #exchange: E;
  readonly #attempt: Attempt<E, Answer>;
  readonly #deadline: Deadline;
  readonly #failures: AttemptFailed[] = [];
  readonly #retries: Retries;
  #appointments: Appointment[] = [];
  readonly #places: Places;
  readonly #contenders: Contenders;
  readonly #onward: Onward;
  /** The conversation was too long for this one. */
  #window = 0;

  constructor(exchange: E, deadline: Deadline, attempt: Attempt<E, Answer>) {
    this.#exchange = exchange;
    this.#attempt = attempt;
    this.#deadline = deadline;
    this.#contenders = new Contenders(deadline.signal, (target) => noteOutrun(exchange, target));
    this.#onward = new Onward(exchange, () => this.#contenders.isOver);
    this.#retries = new Retries(exchange);
    this.#places = new Places(exchange, deadline);
  }

  async run(): Promise<Found<E, Answer>> {
    try {
      return await this.#run();
    } catch (error) {
      this.#contenders.end();
      throw error;
    }
  }

  async #run(): Promise<Found<E, Answer>> {
    const later: LiveTarget[] = [];
    const answered = await this.#inOrder(later);
    if (answered) return answered;
    // Nobody better is left. The last target is never given up.
    for (const target of later) {
      const late = (await this.#hasRoom(target)) && (await this.#ask(target, true));
      if (late) return late;
    }
    return this.#keepAppointments();
  }

  /** Each after the one before it; where the model hedges, also beside one that takes its time. */
  async #inOrder(later: LiveTarget[]): Promise<Found<E, Answer> | undefined> {
    const { targets, model } = this.#exchange;
    const running = new Set<Promise<Found<E, Answer> | undefined>>();
    for (const target of targets) {
      if (!this.#isInShape(target)) {
        later.push(target);
        continue;
      }
      if (running.size > 0 && !this.#retries.mayHedge(target)) {
        const answered = await firstOf(running);
        if (answered) return answered;
      }
      if (this.#mustEnter(target)) {
        const first = await firstOf<Found<E, Answer> | boolean>(new Set([...running, this.#onward.enter(target)]));
        if (typeof first === 'object') return first;
        if (first === false) continue;
      }
      if (model.hedgeMs === undefined) {
        const answered = await this.#ask(target, targets.length === 1);
        if (answered) return answered;
        continue;
      }
      // Who ended with an answer, or for all, is not forgotten before that was seen.
      const asked = this.#ask(target, targets.length === 1).then((found) => {
        if (!found) running.delete(asked);
        return found;
      });
      running.add(asked);
      const answered = await firstOf(running, model.hedgeMs);
      if (answered) return answered;
    }
    return firstOf(running);
  }

  /** Whether something is to be taken before it is asked. Who is too small by now is not asked. */
  #mustEnter(target: LiveTarget): boolean {
    return target.contextWindow > this.#window && this.#onward.isAhead(target);
  }

  async #hasRoom(target: LiveTarget): Promise<boolean> {
    return !this.#mustEnter(target) || this.#onward.enter(target);
  }

  /** Whether it may be asked while others are there. Who is passed over is not blamed for it. */
  #isInShape(target: LiveTarget): boolean {
    const { house, generation, outcome, targets } = this.#exchange;
    const { isWell, isReady } = shapeOf(target, house);
    if (targets.length === 1 || isReady) return true;
    if (!isWell) generation.health.passedOver(target.label);
    outcome.tried.push({ target: target.label, ended: 'passed_over' });
    return false;
  }

  /** The next key in turn that was not used yet for this request. */
  #key(target: LiveTarget, spent: readonly LiveKey[], anyhow: boolean): LiveKey | undefined {
    const { keys: memory } = this.#exchange.house.upstreams;
    const keys = (target.provider.live?.keys ?? []).filter((key) => !spent.includes(key));
    const ask = anyhow || (spent.length === 0 && memory.allRefused(keys));
    return ask ? memory.nextAnyhow(keys, target.model) : memory.next(keys, target.model);
  }

  #ask(target: LiveTarget, anyhow: boolean): Promise<Found<E, Answer> | undefined> {
    return this.#onward.during(target, () => this.#tryOn(target, anyhow));
  }

  async #tryOn(target: LiveTarget, anyhow: boolean): Promise<Found<E, Answer> | undefined> {
    if (target.contextWindow <= this.#window) return undefined;
    const { breaker, budget } = this.#exchange.house.upstreams.of(target);
    const spent: LiveKey[] = [];
    let key = this.#key(target, spent, anyhow);
    let less: Shorter | undefined;
    const contender = this.#contenders.add(target, this.#exchange.model.hedgeMs !== undefined);
    budget.asked();
    while (key && !this.#contenders.isOver) {
      this.#deadline.check(this.#failures.at(-1));
      const leave = anyhow ? await this.#places.wait(target) : this.#places.enter(target);
      this.#deadline.check(this.#failures.at(-1));
      const ticket = leave && (anyhow ? breaker.enterAnyhow() : breaker.enter());
      if (!ticket) {
        // Its health gave way between two tries: whoever proves it well again needs the place.
        leave?.();
        return undefined;
      }
      const trying = { contender, key, ticket, deadline: this.#deadline };
      const asked = less ? { ...this.#exchange, keep: less.keep } : this.#exchange;
      const result = await tryTarget(asked, trying, this.#attempt);
      if (!(result instanceof AttemptFailed)) return this.#win(result, less);
      leave();
      if (this.#contenders.isOver) return undefined;
      this.#note(target, result);
      const { next } = moves[result.failure.kind];
      if (next === 'stop') throw this.#refusal();
      if (next === 'key') {
        spent.push(key);
        key = this.#key(target, spent, false);
      } else if (next === 'larger') {
        less = less ? undefined : this.#shorten(target, result);
        if (!less) return undefined;
      } else if (next !== 'same' || !(await this.#pauseFor(target, result))) return undefined;
    }
    return undefined;
  }

  /** Undefined where another one was first, in the same moment. */
  #win(tried: Tried<Answer>, less: Shorter | undefined): Found<E, Answer> | undefined {
    const { contender, ticket } = tried.trying;
    if (!this.#contenders.isOver) {
      this.#contenders.end(contender);
      this.#onward.stay(contender.target);
      if (less) tellShorter(Object.assign(this.#exchange, { keep: less.keep }), less);
      return tellAnswer(this.#exchange, tried);
    }
    ticket.answered();
    this.#contenders.drop(contender);
    return undefined;
  }

  /** Once for each target: it counts otherwise than the estimate that had let the conversation through. */
  #shorten({ label }: LiveTarget, { failure }: AttemptFailed): Shorter | undefined {
    const less = shorter(this.#exchange, failure);
    if (less) this.#exchange.outcome.shortened.push({ target: label, kept: less.keep.length, tokens: less.tokens });
    return less;
  }

  /** What a client is told once nothing is left to try. */
  #refusal(): HeadgateError {
    if (this.#failures.length > 0) return refusal(this.#failures);
    if (!this.#places.isBusy) return this.#onward.refusal() ?? refusal([]);
    const message = 'Every target has as many requests as it may have at once, and as many waiting.';
    return new HeadgateError('upstream_busy', message, { retryAfterMs: 1_000 });
  }

  #note(target: LiveTarget, failed: AttemptFailed): void {
    const { kind, retryAfterMs } = failed.failure;
    this.#failures.push(failed);
    if (kind === 'context_too_long') this.#window = Math.max(this.#window, target.contextWindow);
    if (kind === 'rate_limited' && retryAfterMs !== undefined)
      this.#appointments.push({ target, at: performance.now() + retryAfterMs });
  }

  /** Before the same target is tried again; false when it is not. */
  async #pauseFor(target: LiveTarget, failed: AttemptFailed): Promise<boolean> {
    const ms = this.#retries.pauseFor(target, failed);
    if (ms === undefined) return false;
    await this.#deadline.pause(ms);
    this.#deadline.check(this.#failures.at(-1));
    return true;
  }

  /** Nothing else is there: waits as it was told, while there is time, and as often as the target has retries. */
  async #keepAppointments(): Promise<Found<E, Answer>> {
    for (;;) {
      const [soonest] = this.#appointments.toSorted((a, b) => a.at - b.at);
      const wait = soonest ? Math.max(0, soonest.at - performance.now()) : Infinity;
      if (!soonest || wait >= this.#deadline.leftMs || !this.#retries.take(soonest.target)) throw this.#refusal();
      this.#appointments = this.#appointments.filter(({ target }) => target !== soonest.target);
      await this.#deadline.pause(wait);
      this.#deadline.check(this.#failures.at(-1));
      const answered = (await this.#hasRoom(soonest.target)) && (await this.#ask(soonest.target, true));
      if (answered) return answered;
    }
  }
}

export async function dispatch<E extends Dispatchable, Answer extends Told>(
  exchange: E,
  deadline: Deadline,
  attempt: Attempt<E, Answer>,
): Promise<Found<E, Answer>> {
  return new Search(exchange, deadline, attempt).run();
}
