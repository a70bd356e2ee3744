/** Takings in Redis that end in an answer or in nothing: one whose answer was lost is given back. */
import { randomUUID } from 'node:crypto';
import { GivingBack } from './giving-back.ts';
import { StoreUnavailable, type Taking } from './store.ts';

/** One demand in the terms of the scripts. */
export interface AskedDemand {
  readonly amount: number;
  readonly hold?: string;
}

/** What the scripts for taking and for giving back are told beside the time. */
export interface Asking {
  readonly keys: readonly string[];
  readonly demands: readonly AskedDemand[];
}

/** Proves a taking of which nothing is held. */
interface Receipt {
  readonly key: string;
  readonly id: string;
}

type Proven = Asking & { readonly receipt: Receipt | undefined };

export type Answer = { readonly takings: readonly Taking[] } | { readonly serverTime: number };

/** Gives the script's reply. With a receipt its key is the last one. */
type TakingScript = (keys: readonly string[], demands: readonly AskedDemand[], receipt?: string) => Promise<unknown>;

export interface TakingScripts {
  readonly take: TakingScript;
  readonly giveBack: TakingScript;
}

const isTaking = ({ amount, hold }: AskedDemand): boolean => amount > 0 || hold !== undefined;

const written = ({ keys, demands, receipt }: Proven): Parameters<TakingScript> =>
  receipt ? [[...keys, receipt.key], demands, receipt.id] : [keys, demands];

export class SureTakings {
  readonly #scripts: TakingScripts;
  readonly #receiptPrefix: string;
  readonly #givingBack: GivingBack<Proven>;
  /** Keys of receipts whose takings were answered serve others, so that there are few. */
  readonly #freeKeys: string[] = [];
  #issued = 0;

  constructor(scripts: TakingScripts, keyPrefix: string) {
    this.#scripts = scripts;
    // Names of counts end with that of their window, so that none is like these.
    this.#receiptPrefix = `${keyPrefix}taken:${randomUUID()}:`;
    this.#givingBack = new GivingBack(async (lost) => (await scripts.giveBack(...written(lost))) === 1);
  }

  async take(asking: Asking): Promise<Answer> {
    const { demands } = asking;
    const isReading = !demands.some(isTaking);
    // What is held proves that all was taken.
    const receipt = isReading || demands.some(({ hold }) => hold !== undefined) ? undefined : this.#issue();
    const proven = { ...asking, receipt };
    try {
      const answer = readAnswer(await this.#scripts.take(...written(proven)), demands);
      this.#free(receipt);
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailable && error.isUndone) this.#free(receipt);
      // Its receipt's key stays its own, because it may still arrive.
      else if (!isReading) this.#givingBack.add(proven);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#givingBack.close();
  }

  #issue(): Receipt {
    this.#issued += 1;
    const id = String(this.#issued);
    return { key: this.#freeKeys.pop() ?? this.#receiptPrefix + id, id };
  }

  #free(receipt: Receipt | undefined): void {
    if (receipt) this.#freeKeys.push(receipt.key);
  }
}

function readAnswer(reply: unknown, demands: readonly AskedDemand[]): Answer {
  const answers: readonly unknown[] = Array.isArray(reply) ? reply : [];
  if (answers[0] === 'clock') return { serverTime: Number(answers[1]) };
  const isTaken = answers.every((each) => Array.isArray(each) && each[0] === 1);
  const takings = demands.map(({ hold }, index): Taking => {
    const one = answers[index];
    const [granted, used, start, resetMs, held] = Array.isArray(one) ? one.map(Number) : [];
    if (used === undefined || start === undefined || resetMs === undefined || held === undefined)
      throw new StoreUnavailable('redis: the answer to a taking is not five numbers for each demand');
    return { granted: granted === 1, used, held, start, resetMs, ...(isTaken && hold !== undefined && { hold }) };
  });
  return { takings };
}
