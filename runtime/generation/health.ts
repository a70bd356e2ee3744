/**
 * What a generation did, as far as its configuration can be the cause. A vendor's outage looks the same under every
 * revision, so overload, rate limits and time-outs are no evidence; a refused credential or an unknown model is.
 */

/** Failures that only configuration can cause. */
export type Blame = 'credential' | 'not_found' | 'network' | 'internal';

interface TargetRecord {
  answered: number;
  blamed: number;
  lastBlame: Blame | undefined;
}

export class HealthRecord {
  /** By target label. */
  readonly #targets = new Map<string, TargetRecord>();
  /** Requests that ended, whatever the outcome. */
  samples = 0;
  /** Faults of the gateway's own: nothing a provider did. */
  internalFaults = 0;

  #of(label: string): TargetRecord {
    let record = this.#targets.get(label);
    if (!record) this.#targets.set(label, (record = { answered: 0, blamed: 0, lastBlame: undefined }));
    return record;
  }

  answered(label: string): void {
    this.#of(label).answered += 1;
  }

  blamed(label: string, blame: Blame): void {
    const record = this.#of(label);
    record.blamed += 1;
    record.lastBlame = blame;
  }

  /** Targets that were blamed at least once, with their counts. */
  get suspects(): readonly {
    readonly label: string;
    readonly answered: number;
    readonly blamed: number;
    readonly blame: Blame;
  }[] {
    return [...this.#targets].flatMap(([label, { answered, blamed, lastBlame }]) =>
      lastBlame === undefined ? [] : [{ label, answered, blamed, blame: lastBlame }],
    );
  }
}

/** How often a thing must fail before the revision is to blame. */
const enough = 3;

export interface Fault {
  /** Which rule was broken: a word for metrics. */
  readonly rule: 'internal_faults' | 'target_refused';
  /** One sentence for people. */
  readonly sentence: string;
  /** `collection.name` of the object at fault, when one is. */
  readonly object: string | undefined;
}

const words: Record<Blame, string> = {
  credential: 'refused our credential',
  not_found: 'does not know the model or the path',
  network: 'could not be reached',
  internal: 'failed inside the gateway',
};

/**
 * The first rule that `record` breaks. `touched` tells which targets this revision brought or changed: the others
 * are the control group and are never held against it.
 */
export function faultOf(record: HealthRecord, touched: (label: string) => string | undefined): Fault | undefined {
  if (record.internalFaults >= enough) {
    return {
      rule: 'internal_faults',
      sentence: `the gateway itself failed ${record.internalFaults} requests under this revision`,
      object: undefined,
    };
  }
  for (const { label, answered, blamed, blame } of record.suspects) {
    const object = touched(label);
    if (object === undefined || blamed < enough || blamed <= answered) continue;
    return {
      rule: 'target_refused',
      sentence: `${label} ${words[blame]} (${blamed} times, ${answered} good answers)`,
      object,
    };
  }
  return undefined;
}
