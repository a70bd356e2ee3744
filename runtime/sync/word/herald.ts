/** The one place that hears what became of revisions and tells it: to the log, to status, and to who was named for it. */
import type { Activator } from '../../generation/activator.ts';
import type { Log } from '../../log.ts';
import { SettingsError, type Settings } from '../../settings.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Keep } from '../keep.ts';
import type { RevisionSource } from '../source.ts';
import type { State } from '../states.ts';
import { addressesFrom, type Addresses } from './addresses.ts';
import { statusLetter } from './commit-status.ts';
import { Delivery, type DeliveryStatus } from './delivery.ts';
import { KnownFacts } from './facts.ts';
import { happeningsOf, type Happening } from './happening.ts';
import { webhookLetter } from './webhook.ts';
import { factsFor, wordOf, type Word } from './word.ts';

export interface HeraldOptions {
  readonly settings: Settings;
  readonly replica: string;
  readonly activator: Activator;
  readonly keep: Keep;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface WordStatus {
  /** Newest first. */
  readonly recent: readonly Word[];
  /** Absent where none was asked for. */
  readonly webhook: DeliveryStatus | undefined;
  readonly commitStatus: DeliveryStatus | undefined;
}

const mostRecent = 20;

/** What makes a refusal the same news as one before it. */
const refusalIn = (happening: Happening): string | undefined => {
  if (happening.kind !== 'held' && happening.kind !== 'rolled_back') return undefined;
  const reason = happening.kind === 'held' ? happening.reason : 'bad-health';
  return JSON.stringify([happening.commit, reason, happening.detail]);
};

export class Herald {
  readonly #options: HeraldOptions;
  readonly #addresses: Addresses;
  readonly #facts = new KnownFacts();
  readonly #recent: Word[] = [];
  /** What was refused last: after a pause the same commit is looked at again, and that is no news. */
  #refused: string | undefined;
  readonly #webhook: Delivery | undefined;
  readonly #commitStatus: Delivery | undefined;

  /** Throws `SettingsError` with every problem. */
  constructor(options: HeraldOptions) {
    const { addresses, problems } = addressesFrom(options.settings);
    if (problems.length > 0) throw new SettingsError(problems);
    this.#options = options;
    this.#addresses = addresses;
    const { log, metrics } = options;
    const { webhook, commitStatus } = addresses;
    const originOf = ({ url }: { readonly url: string }) => new URL(url).origin;
    this.#webhook = webhook && new Delivery({ to: 'webhook', origin: originOf(webhook), log, metrics });
    this.#commitStatus =
      commitStatus && new Delivery({ to: 'commit_status', origin: originOf(commitStatus), log, metrics });
  }

  get status(): WordStatus {
    return { recent: this.#recent, webhook: this.#webhook?.status, commitStatus: this.#commitStatus?.status };
  }

  /** The same source, overheard for what its artifacts say of themselves. */
  overhear(source: RevisionSource): RevisionSource {
    return this.#facts.overhear(source);
  }

  /** Passes on what is new, and returns it for the log. */
  heard(before: State, after: State): readonly Word[] {
    const current = this.#options.activator.current;
    // What a start found on disk came through no source.
    if (current) this.#facts.remember(current.revision.artifact, current.revision.manifest);
    const words = happeningsOf(before, after).flatMap((happening) => this.#tell(happening, after) ?? []);
    if (!after.held && !after.work && !after.pause) this.#refused = undefined;
    return words;
  }

  /** Gives what is under way a moment more. */
  async close(): Promise<void> {
    await Promise.all([this.#webhook?.close(), this.#commitStatus?.close()]);
  }

  #tell(happening: Happening, after: State): Word | undefined {
    const { replica, activator, settings } = this.#options;
    const refused = refusalIn(happening);
    if (refused !== undefined && refused === this.#refused) return undefined;
    this.#refused = refused;
    const current = activator.current;
    const samples = current?.revision.artifact === happening.commit ? current?.health.samples : undefined;
    const isVerified = samples !== undefined && samples >= settings.bakeSamples;
    this.#mark(happening, isVerified);
    // The fact that a revision is on trial stands in status; it is no word to wake anybody with.
    if (happening.kind === 'on_trial' || happening.kind === 'superseded') return undefined;
    const facts = (artifact: string | undefined) => this.#facts.of(artifact);
    const serving = after.rollout ? after.lastKnownGood : after.active;
    const word = wordOf(happening, { replica, facts, serving, isVerified });
    this.#recent.unshift(word);
    this.#recent.length = Math.min(this.#recent.length, mostRecent);
    if (this.#addresses.webhook) this.#webhook?.send(webhookLetter(this.#addresses.webhook, word));
    return word;
  }

  #mark(happening: Happening, isVerified: boolean): void {
    const { commitStatus } = this.#addresses;
    if (!commitStatus) return;
    const facts = factsFor(happening, (artifact) => this.#facts.of(artifact));
    const { settings, keep } = this.#options;
    const name = settings.audience ?? keep.state.audience ?? facts?.gateway;
    const context = settings.commitStatusContext ?? `headgate/${name}`;
    const letter = statusLetter({ ...commitStatus, context }, happening, { facts, isVerified });
    if (letter) this.#commitStatus?.send(letter);
  }
}
