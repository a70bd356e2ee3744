/**
 * What a generation did, as far as its configuration can be the cause. A vendor's outage looks the same under every
 * revision, so overload, rate limits and time-outs are no evidence; a refused credential or an unknown model is. Only
 * counts are kept, one set for each object that had traffic; `health-rules.ts` says what they mean.
 */
import type { ErrorCode } from '../errors.ts';
import { OwnTime } from './own-time.ts';

/** Failures that configuration can cause. `broken_answer`: what answers there is no provider of this kind. */
export type Blame = 'credential' | 'not_found' | 'network' | 'broken_answer';

export const blameInWords: Readonly<Record<Blame, string>> = {
  credential: 'refused our credential',
  not_found: 'does not know the model or the path',
  network: 'could not be reached',
  broken_answer: 'sends answers that cannot be understood',
};

export interface TargetRecord {
  readonly answered: number;
  readonly blamed: number;
  /** Requests that went elsewhere because it was known to fail: no blame, but they would have failed as well. */
  readonly passedOver: number;
  readonly lastBlame: Blame | undefined;
  /** Its last answer was none; undefined while nothing came of it. */
  readonly isFailing: boolean | undefined;
}

/** Ends that are the gateway's own: nothing a vendor's outage brings about. */
const ownFailures: ReadonlySet<ErrorCode> = new Set([
  'internal_error',
  'no_target_available',
  'upstream_credential_refused',
  'upstream_model_unknown',
]);

/** How a request ended. */
export interface Ended {
  /** The model or route it was for, as `collection.name`; undefined when it came to none. */
  readonly object: string | undefined;
  /** Label of the target that was asked last. */
  readonly target: string | undefined;
  readonly code: ErrorCode | undefined;
  /** Time the gateway took for it, without any wait for others. */
  readonly ownMs: number | undefined;
}

/** A record as it travels between processes. */
export interface HealthFigures {
  readonly targets: ReadonlyMap<string, TargetFigures>;
  readonly objects: readonly {
    readonly name: string;
    readonly requests: number;
    readonly internalFaults: number;
    readonly failures: ReadonlyMap<string, number>;
    readonly ownTime: Uint32Array;
  }[];
  readonly losses: ReadonlyMap<string, Loss>;
  readonly samples: number;
  readonly strayFaults: number;
}

interface TargetFigures extends TargetRecord {
  /** Answers that broke off and were counted as answered in an earlier record. */
  readonly owed: number;
}

export class ObjectRecord {
  requests = 0;
  internalFaults = 0;
  /** Own failures by the target they came from; '' where none was asked. */
  readonly failures = new Map<string, number>();
  readonly ownTime = new OwnTime();
}

/** What requests for one object were refused with that the revision before would have served. */
export interface Loss {
  readonly times: number;
  readonly code: ErrorCode;
}

export class HealthRecord {
  readonly #targets = new Map<string, { -readonly [Key in keyof TargetFigures]: TargetFigures[Key] }>();
  readonly #objects = new Map<string, ObjectRecord>();
  readonly #losses = new Map<string, Loss>();
  /** Requests that ended, whatever the outcome. */
  samples = 0;
  /** Faults of the gateway's own in requests that had come to no object. */
  strayFaults = 0;

  /** By label: `provider/model`, or `upstream:name`. */
  get targets(): ReadonlyMap<string, TargetRecord> {
    return this.#targets;
  }

  /** By `collection.name`. */
  get objects(): ReadonlyMap<string, ObjectRecord> {
    return this.#objects;
  }

  /** By the name the object had in the revision before. */
  get losses(): ReadonlyMap<string, Loss> {
    return this.#losses;
  }

  #target(label: string) {
    let record = this.#targets.get(label);
    if (!record)
      this.#targets.set(
        label,
        (record = { answered: 0, blamed: 0, passedOver: 0, lastBlame: undefined, isFailing: undefined, owed: 0 }),
      );
    return record;
  }

  #object(name: string): ObjectRecord {
    let record = this.#objects.get(name);
    if (!record) this.#objects.set(name, (record = new ObjectRecord()));
    return record;
  }

  answered(label: string): void {
    const record = this.#target(label);
    record.answered += 1;
    record.isFailing = false;
  }

  blamed(label: string, blame: Blame): void {
    const record = this.#target(label);
    record.blamed += 1;
    record.lastBlame = blame;
    record.isFailing = true;
  }

  /** What had counted as answered was a stream, and it broke off. */
  brokeOff(label: string, blame: Blame | undefined): void {
    const record = this.#target(label);
    // The record may be a newer one than that in which it was answered.
    if (record.answered > 0) record.answered -= 1;
    else record.owed += 1;
    if (blame) this.blamed(label, blame);
  }

  passedOver(label: string): void {
    this.#target(label).passedOver += 1;
  }

  /** A request was refused that the revision before would have served as `object`. */
  lost(object: string, code: ErrorCode): void {
    this.#losses.set(object, { times: (this.#losses.get(object)?.times ?? 0) + 1, code });
  }

  /** Whether nothing happened. */
  get isEmpty(): boolean {
    return this.samples === 0 && this.#targets.size === 0 && this.#losses.size === 0;
  }

  get figures(): HealthFigures {
    const objects = [...this.#objects].map(([name, { requests, internalFaults, failures, ownTime }]) => {
      return { name, requests, internalFaults, failures, ownTime: ownTime.counts };
    });
    const { samples, strayFaults } = this;
    return { targets: this.#targets, objects, losses: this.#losses, samples, strayFaults };
  }

  /** Adds what another process recorded since it was asked last. */
  take({ targets, objects, losses, samples, strayFaults }: HealthFigures): void {
    this.samples += samples;
    this.strayFaults += strayFaults;
    for (const [label, { answered, blamed, passedOver, lastBlame, isFailing, owed }] of targets) {
      const record = this.#target(label);
      record.answered = Math.max(0, record.answered + answered - owed);
      record.blamed += blamed;
      record.passedOver += passedOver;
      record.lastBlame = lastBlame ?? record.lastBlame;
      record.isFailing = isFailing ?? record.isFailing;
    }
    for (const { name, requests, internalFaults, failures, ownTime } of objects) {
      const record = this.#object(name);
      record.requests += requests;
      record.internalFaults += internalFaults;
      for (const [target, count] of failures) record.failures.set(target, (record.failures.get(target) ?? 0) + count);
      record.ownTime.take(ownTime);
    }
    for (const [object, { times, code }] of losses)
      this.#losses.set(object, { times: (this.#losses.get(object)?.times ?? 0) + times, code });
  }

  ended({ object, target = '', code, ownMs }: Ended): void {
    this.samples += 1;
    if (object === undefined) {
      if (code === 'internal_error') this.strayFaults += 1;
      return;
    }
    const record = this.#object(object);
    record.requests += 1;
    if (code === 'internal_error') record.internalFaults += 1;
    if (code !== undefined && ownFailures.has(code))
      record.failures.set(target, (record.failures.get(target) ?? 0) + 1);
    if (ownMs !== undefined) record.ownTime.add(ownMs);
  }
}
