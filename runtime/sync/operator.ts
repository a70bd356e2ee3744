/** An operator's hand in the life of revisions: pause, pin, accept, retry. Every one of them expires or counts once, and is loud. */
import type { Artifact } from '../artifact.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Keep } from './keep.ts';
import type { Event, Pause, State } from './states.ts';
import type { SharedVerdicts } from './verdicts.ts';

export interface OperatorOptions {
  readonly keep: Keep;
  readonly verdicts: SharedVerdicts;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The machine that orders go to. */
export interface Ordered {
  readonly state: () => State;
  readonly send: (event: Event) => void;
  /** Resolves when what was sent is carried out. */
  readonly settled: () => Promise<void>;
}

/** What served lately can be pinned without asking the source for it. */
const mostAtHand = 4;
/** Longer is no emergency; also what timers of the platform can hold. */
export const longestPauseMs = 7 * 86_400_000;

export class Operator {
  readonly #options: OperatorOptions;
  readonly #machine: Ordered;
  readonly #atHand = new Map<string, Artifact>();
  #timer: NodeJS.Timeout | undefined;
  #allowed: string | undefined;

  constructor(options: OperatorOptions, machine: Ordered) {
    this.#options = options;
    this.#machine = machine;
  }

  /** Commits that can be pinned. */
  get pinnable(): readonly string[] {
    return [...this.#atHand.keys()].filter((commit) => !Object.hasOwn(this.#machine.state().quarantine, commit));
  }

  remember(artifact: Artifact): void {
    this.#atHand.delete(artifact.commit);
    this.#atHand.set(artifact.commit, artifact);
    const [oldest] = this.#atHand.keys();
    if (this.#atHand.size > mostAtHand && oldest !== undefined) this.#atHand.delete(oldest);
  }

  atHand(commit: string): Artifact | undefined {
    return this.#atHand.get(commit);
  }

  /** For the effect `allow`: the next judgement of this commit overlooks its place in the order. */
  allow(commit: string): void {
    this.#allowed = commit;
  }

  isAllowed(commit: string): boolean {
    return this.#allowed === commit;
  }

  /** Goes on with what was ordered before a restart. */
  async start(): Promise<void> {
    const { pause } = this.#options.keep.state;
    if (!pause) return;
    if (pause.until <= Date.now()) await this.#options.keep.change({ pause: undefined });
    else this.#begin({ pinned: pause.pinned, until: pause.until, note: pause.note });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Returns why not, in words; undefined when it is done. */
  async pause(order: {
    readonly pinned: string | undefined;
    readonly forMs: number;
    readonly note: string;
  }): Promise<string | undefined> {
    const { pinned, forMs, note } = order;
    const { active } = this.#machine.state();
    if (pinned !== undefined && pinned !== active && !this.pinnable.includes(pinned)) {
      return `${pinned} is not at hand; what can be pinned: ${this.pinnable.join(', ') || 'nothing yet'}`;
    }
    const pause: Pause = { pinned, until: Date.now() + forMs, note };
    await this.#options.keep.change({ pause });
    this.#begin(pause);
    if (pinned === undefined) return undefined;
    // Whoever is told that it is pinned relies on it.
    await this.#machine.settled();
    const { active: serving, held } = this.#machine.state();
    return serving === pinned ? undefined : `${pinned} cannot be served: ${held?.detail ?? 'it was refused'}`;
  }

  async resume(): Promise<string | undefined> {
    if (!this.#machine.state().pause) return 'nothing is paused or pinned';
    await this.#end('lifted by an operator');
    return undefined;
  }

  accept(commit: string): string | undefined {
    const { held } = this.#machine.state();
    if (held?.commit !== commit) return `${commit} is not what is held`;
    if (held.reason !== 'rewind' && held.reason !== 'shrink')
      return `a refusal for ${held.reason} cannot be accepted: publish a revision that passes`;
    this.#tell('accepted', { artifact: commit, reason: held.reason });
    this.#machine.send({ type: 'accepted', commit });
    return undefined;
  }

  async retry(commit: string): Promise<string | undefined> {
    const { quarantine, tip } = this.#machine.state();
    if (!Object.hasOwn(quarantine, commit)) return `${commit} is not in quarantine`;
    if (tip !== commit) return `${commit} is not the tip of the branch any more`;
    const { [commit]: _forgiven, ...rest } = quarantine;
    await this.#options.keep.change({ quarantine: rest });
    await this.#options.verdicts.forgive(commit);
    this.#tell('retried', { artifact: commit });
    this.#machine.send({ type: 'retried', commit });
    return undefined;
  }

  #begin(pause: Pause): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#end('ran out'), Math.max(0, pause.until - Date.now()));
    this.#options.metrics.paused.reset();
    this.#options.metrics.paused.set({ kind: pause.pinned === undefined ? 'pause' : 'pin' }, 1);
    this.#tell(pause.pinned === undefined ? 'paused' : 'pinned', {
      ...pause,
      until: new Date(pause.until).toISOString(),
    });
    this.#machine.send({ type: 'paused', pause });
  }

  async #end(how: string): Promise<void> {
    clearTimeout(this.#timer);
    this.#options.metrics.paused.reset();
    this.#tell('resumed', { how });
    await this.#options.keep.change({ pause: undefined });
    this.#machine.send({ type: 'resumed' });
  }

  #tell(what: string, facts: object): void {
    this.#options.log.warn({ event: 'operator', order: what, ...facts }, `an operator's order: ${what}`);
  }
}
