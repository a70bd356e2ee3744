/**
 * Looks whether a rollback helped: what the revision was taken back for is looked for once more, for one window, under the
 * one that serves again. When it goes on, the revision was not the cause, or not the only one. Nothing is rolled back further.
 */
import type { Generation } from '../generation/generation.ts';
import { faultOf, type Fault } from '../generation/health-rules.ts';
import type { HealthRecord } from '../generation/health.ts';

const lookMs = 200;

export interface Rollback {
  /** The commit that was taken back. */
  readonly from: string;
  readonly generation: Generation;
  readonly fault: Fault;
  readonly windowMs: number;
}

export class Aftermath {
  readonly from: string;
  readonly #rollback: Rollback;
  readonly #before: HealthRecord;
  readonly #timer: NodeJS.Timeout;
  readonly #over: number;
  /** Undefined as long as nobody can say, which without traffic is for good. */
  helped: boolean | undefined;

  constructor(rollback: Rollback, onUseless: () => void) {
    this.from = rollback.from;
    this.#rollback = rollback;
    this.#before = rollback.generation.renewHealth();
    this.#over = performance.now() + rollback.windowMs;
    this.#timer = setInterval(() => this.#look(onUseless), lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(onUseless: () => void): void {
    const { health } = this.#rollback.generation;
    if (this.#persists(health)) {
      this.helped = false;
      onUseless();
    } else if (performance.now() < this.#over) return;
    else if (health.samples > 0) this.helped = true;
    this.stop();
  }

  #persists(record: HealthRecord): boolean {
    const { fault } = this.#rollback;
    const suspect = (name: string) => (name === fault.subject ? (fault.object ?? name) : undefined);
    const changes = { ofObject: suspect, ofTarget: suspect, isMeant: () => false };
    const found = faultOf({ record, against: this.#before, changes });
    return found?.rule === fault.rule && found.subject === fault.subject;
  }
}
