/**
 * Who of several replicas tries a revision first. The others keep serving what they serve until it has proved itself there,
 * or its trial has lasted its time, or whoever tried it is gone: so a bad revision meets one replica, and no more.
 */
import type { SharedVerdicts } from './verdicts.ts';

export interface LeadOptions {
  readonly verdicts: SharedVerdicts;
  /** Whether this replica still works on `commit` or has it on trial. */
  readonly isTried: (commit: string) => boolean;
  /** Looks again at a tip that had to wait. Never rejects. */
  readonly again: (tip: string) => Promise<void>;
}

/** How often whoever waits asks again. */
const askMs = 500;
/** How often whoever tries a revision says so; well within the time after which it counts as gone. */
const renewMs = 2_000;

export class Lead {
  readonly #options: LeadOptions;
  #waiting: { readonly commit: string; readonly since: string } | undefined;
  #wait: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #leading: string | undefined;
  #isStopped = false;

  constructor(options: LeadOptions) {
    this.#options = options;
  }

  /** What another replica tries first. */
  get waiting(): { readonly commit: string; readonly since: string } | undefined {
    return this.#waiting;
  }

  /** Whether this replica may try `tip` now; if not, it is looked at again before long. */
  async mayTry(tip: string): Promise<boolean> {
    clearTimeout(this.#wait);
    const claimed = await this.#options.verdicts.claim(tip);
    // Nobody is to wait for a replica that is on its way out.
    if (this.#isStopped) {
      if (claimed === 'mine') void this.#options.verdicts.release(tip);
      return false;
    }
    if (claimed === 'others') {
      const since = this.#waiting?.commit === tip ? this.#waiting.since : new Date().toISOString();
      this.#waiting = { commit: tip, since };
      clearTimeout(this.#wait);
      this.#wait = setTimeout(() => void this.#options.again(tip), askMs);
      return false;
    }
    this.#waiting = undefined;
    if (claimed === 'mine') this.#begin(tip);
    return true;
  }

  /** There is nothing to wait for. */
  forget(): void {
    clearTimeout(this.#wait);
    this.#waiting = undefined;
  }

  /** Nobody has to wait for it any more. */
  passed(commit: string): void {
    if (commit !== this.#leading) return;
    this.#end();
    void this.#options.verdicts.pass(commit);
  }

  /** Ended on purpose: others need not wait until it is noticed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#wait);
    const commit = this.#leading;
    this.#end();
    if (commit !== undefined) await this.#options.verdicts.release(commit);
  }

  #begin(commit: string): void {
    this.#end();
    this.#leading = commit;
    this.#renewal = setInterval(() => {
      if (this.#options.isTried(commit)) void this.#options.verdicts.claim(commit);
      else {
        this.#end();
        void this.#options.verdicts.release(commit);
      }
    }, renewMs);
  }

  #end(): void {
    clearInterval(this.#renewal);
    this.#leading = undefined;
  }
}
