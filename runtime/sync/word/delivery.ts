/** Carries messages to one address, one after the other: bounded, patient, and never in anybody's way. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import type { Log } from '../../log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { loadUndici } from '../../upstream/undici.ts';

export type Destination = 'webhook' | 'commit_status';

export interface Outgoing {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Letter {
  /** What it is about, for the log. */
  readonly about: Readonly<Record<string, string | undefined>>;
  /** A later letter of the same key takes the place of one that still waits. */
  readonly key?: string;
  /** Made anew for each try, so that a rotated secret is used by the next. Throws with the place and the cure. */
  readonly write: () => Promise<Outgoing>;
  /** Whether an answer that is no success means all the same that there is nothing left to do. */
  readonly isSettledBy?: (status: number, text: string) => boolean;
}

export interface Patience {
  readonly tries: number;
  /** The first wait is up to this long, each further one up to twice the one before. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** For one try, connecting and answering. */
  readonly timeoutMs: number;
  readonly mostWaiting: number;
}

export const usualPatience: Patience = {
  tries: 10,
  firstWaitMs: 1_000,
  longestWaitMs: 60_000,
  timeoutMs: 10_000,
  mostWaiting: 100,
};

export interface DeliveryOptions {
  readonly to: Destination;
  /** What status shows: never the whole address, which may be a secret itself. */
  readonly origin: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly patience?: Partial<Patience>;
}

export interface DeliveryStatus {
  readonly origin: string;
  readonly waiting: number;
  readonly lastOkAt: string | undefined;
  readonly lastFailure: { readonly at: string; readonly problem: string } | undefined;
}

/** A remote's wish is honoured up to here. */
const longestRetryAfterMs = 300_000;
const mostAnswerBytes = 4_096;
const endedEarly = 'the gateway ended before it arrived';

interface Failure {
  readonly problem: string;
  readonly isFinal: boolean;
  readonly retryAfterMs?: number;
}

async function textOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.byteLength;
    // Leaving the loop closes the connection.
    if (size >= mostAnswerBytes) break;
  }
  return Buffer.concat(pieces).toString('utf8').slice(0, mostAnswerBytes);
}

function retryAfter(headers: Dispatcher.ResponseData['headers']): number | undefined {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), longestRetryAfterMs);
}

function refusal(status: number, retryAfterMs: number | undefined): Failure {
  if (status >= 300 && status < 400)
    return { problem: `status ${status}: redirects are not followed, give the address it points to`, isFinal: true };
  // Some hosts answer 403 to say "not so fast".
  const isPassing = status === 408 || status === 429 || status >= 500 || (status === 403 && retryAfterMs !== undefined);
  return { problem: `status ${status}`, isFinal: !isPassing, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** In words that hold nothing of what was sent: messages of libraries may quote the address. */
function unreachable(error: unknown, timeoutMs: number): Failure {
  if (error instanceof Error && error.name === 'TimeoutError')
    return { problem: `no answer within ${timeoutMs} ms`, isFinal: false };
  const { code, name } = error as NodeJS.ErrnoException;
  return { problem: `not reached (${code ?? name})`, isFinal: false };
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #patience: Patience;
  readonly #dispatcher: Dispatcher;
  readonly #waiting: Letter[] = [];
  readonly #ended = new AbortController();
  #underWay: Letter | undefined;
  #working: Promise<void> = Promise.resolve();
  #isClosing = false;
  #lastOkAt: string | undefined;
  #lastFailure: DeliveryStatus['lastFailure'];

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#patience = { ...usualPatience, ...options.patience };
    const { timeoutMs } = this.#patience;
    const { EnvHttpProxyAgent } = loadUndici();
    this.#dispatcher = new EnvHttpProxyAgent({ connect: { timeout: timeoutMs }, headersTimeout: 0, bodyTimeout: 0 });
    // Alerts can only watch a series that is there.
    options.metrics.wordFailures.inc({ to: options.to }, 0);
  }

  get status(): DeliveryStatus {
    const waiting = this.#waiting.length + (this.#underWay ? 1 : 0);
    return {
      origin: this.#options.origin,
      waiting,
      lastOkAt: this.#lastOkAt,
      lastFailure: this.#lastFailure,
    };
  }

  /** Returns at once. */
  send(letter: Letter): void {
    if (this.#isClosing) return;
    const same = letter.key === undefined ? -1 : this.#waiting.findIndex(({ key }) => key === letter.key);
    if (same >= 0) this.#waiting.splice(same, 1);
    this.#waiting.push(letter);
    const dropped = this.#waiting.length > this.#patience.mostWaiting ? this.#waiting.shift() : undefined;
    if (dropped) this.#failed(dropped, 'too many messages wait already');
    if (!this.#underWay) this.#working = this.#work();
  }

  /** Gives what is under way, and what waits, this much time more. */
  async close(graceMs = 3_000): Promise<void> {
    this.#isClosing = true;
    const patience = setTimeout(() => this.#ended.abort(), graceMs);
    await this.#working;
    clearTimeout(patience);
    await this.#dispatcher.destroy();
  }

  async #work(): Promise<void> {
    for (let letter = this.#waiting.shift(); letter; letter = this.#waiting.shift()) {
      this.#underWay = letter;
      const problem = await this.#deliver(letter);
      if (problem !== undefined) this.#failed(letter, problem);
    }
    this.#underWay = undefined;
  }

  /** Returns why not; undefined when it arrived. */
  async #deliver(letter: Letter): Promise<string | undefined> {
    const { tries, firstWaitMs, longestWaitMs } = this.#patience;
    for (let made = 1; ; made += 1) {
      if (this.#ended.signal.aborted) return endedEarly;
      const failure = await this.#try(letter);
      if (!failure) {
        this.#lastOkAt = new Date().toISOString();
        this.#lastFailure = undefined;
        return undefined;
      }
      if (this.#ended.signal.aborted) return endedEarly;
      if (failure.isFinal) return failure.problem;
      if (made >= tries) return `${failure.problem}, ${tries} times`;
      // For status: what is being tried again is not well.
      this.#lastFailure = { at: new Date().toISOString(), problem: `${failure.problem}; tried again` };
      const jittered = Math.random() * Math.min(longestWaitMs, firstWaitMs * 2 ** (made - 1));
      const waitMs = Math.max(jittered, failure.retryAfterMs ?? 0);
      await wait(waitMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }

  async #try({ write, isSettledBy }: Letter): Promise<Failure | undefined> {
    const { timeoutMs } = this.#patience;
    let outgoing: Outgoing;
    try {
      outgoing = await write();
    } catch (error) {
      // A secret that is being rotated is there again in a moment.
      return { problem: (error as Error).message, isFinal: false };
    }
    const { url, headers, body } = outgoing;
    const signal = AbortSignal.any([this.#ended.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const answer = await loadUndici().request(url, {
        method: 'POST',
        headers,
        body,
        signal,
        dispatcher: this.#dispatcher,
      });
      const { statusCode } = answer;
      if (statusCode >= 200 && statusCode < 300) {
        // What it has to say does not matter, nor whether it ever ends.
        answer.body.on('error', () => undefined).destroy();
        return undefined;
      }
      const text = await textOf(answer.body);
      return isSettledBy?.(statusCode, text) ? undefined : refusal(statusCode, retryAfter(answer.headers));
    } catch (error) {
      return unreachable(error, timeoutMs);
    }
  }

  #failed({ about }: Letter, problem: string): void {
    const { to, log, metrics } = this.#options;
    this.#lastFailure = { at: new Date().toISOString(), problem };
    metrics.wordFailures.inc({ to });
    log.warn({ event: 'word_failed', to, ...about, problem }, `word of a revision did not arrive: ${problem}`);
  }
}
