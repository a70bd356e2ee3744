/** What happens to the gateways, drawn one after the other: publications of every kind, moves of the branch, faults around it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { StatusReport } from '../runtime/serve.ts';
import type { Draws } from './draws.ts';
import type { Ledger, Publication } from './ledger.ts';
import { harmfulKinds, refusedKinds, type PublicationKind, type Publisher } from './publisher.ts';
import type { Replica } from './replica.ts';
import type { Weather } from './weather.ts';

/** Adds up when the git host was well all along: a poll, and fetching and building on a busy machine. */
const calmBoundMs = 4_000;
/** After a fault: one call that waits out the silence it allows, and the longest back-off. */
const healedBoundMs = 20_000;
/** So long a fault can still be felt. */
const aftermathMs = 16_000;

export interface Scene {
  readonly draws: Draws;
  readonly ledger: Ledger;
  readonly publisher: Publisher;
  readonly replicas: readonly Replica[];
  readonly weather: Weather;
  readonly bakeMs: number;
}

const weights = {
  good: 18,
  'good as an orphan': 3,
  harmful: 8,
  refused: 16,
  rewind: 4,
  'branch deleted and restored': 2,
  'git fault': 5,
  'store fault': 4,
  checkpoint: 4,
} as const;

export class Actions {
  readonly #scene: Scene;
  readonly done = new Map<string, number>();
  /** Milliseconds from a publication until all replicas served it, with git well, and after a fault of it. */
  readonly converged = { calm: [] as number[], healed: [] as number[] };
  readonly problems: string[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async start(): Promise<void> {
    await this.#scene.publisher.publish('good');
  }

  async next(): Promise<void> {
    const { draws, weather, publisher } = this.#scene;
    const drawn = draws.weighted(weights);
    switch (drawn) {
      case 'good':
      case 'good as an orphan':
        await this.#publish(drawn);
        break;
      case 'harmful':
        await this.#publishAndWatch(draws.oneOf(harmfulKinds));
        break;
      case 'refused':
        await this.#publishAndWatch(draws.oneOf(refusedKinds));
        break;
      case 'rewind':
        this.#count('force-push to an earlier commit');
        await publisher.rewind();
        break;
      case 'branch deleted and restored':
        await this.#deleteAndRestore();
        break;
      case 'git fault':
        this.#count(weather.disturbGit());
        break;
      case 'store fault':
        this.#count(weather.disturbStore());
        break;
      case 'checkpoint':
        await this.checkpoint();
    }
    await wait(draws.between(100, 700));
  }

  /** With the git host well again all replicas must serve a good publication, in time, and then trust it. */
  async checkpoint(): Promise<void> {
    const { publisher, weather, bakeMs } = this.#scene;
    await weather.calm();
    const wasCalm = weather.gitCalmMs > aftermathMs;
    const bound = wasCalm ? calmBoundMs : healedBoundMs;
    const from = performance.now();
    const { commit, n } = await publisher.publish('good');
    this.#count('checkpoint');
    if (await this.#all(`publication ${n} to serve`, bound, ({ active }) => active?.commit === commit))
      this.converged[wasCalm ? 'calm' : 'healed'].push(performance.now() - from);
    await this.#all(`publication ${n} to be proved`, bakeMs + calmBoundMs, ({ lkg }) => lkg.commit === commit);
  }

  #count(action: string | undefined): void {
    if (action !== undefined) this.done.set(action, (this.done.get(action) ?? 0) + 1);
  }

  async #publish(kind: PublicationKind): Promise<Publication> {
    const { publisher, replicas } = this.#scene;
    const seen = await Promise.all(replicas.map(async (replica) => (await replica.status()).highestSeq));
    const publication = await publisher.publish(kind, Math.min(...seen));
    this.#count(kind);
    return publication;
  }

  /** Mostly stays until all replicas have refused it, or taken it back, for the right reason. */
  async #publishAndWatch(kind: PublicationKind): Promise<void> {
    const { draws, weather, bakeMs } = this.#scene;
    const isWatched = draws.random() < 0.7 && weather.gitCalmMs > aftermathMs;
    const { commit, n, refusal } = await this.#publish(kind);
    if (!isWatched || refusal === undefined) return;
    await this.#all(
      `${kind} ${n} to be held for ${refusal}`,
      calmBoundMs + bakeMs,
      ({ held }) => held?.commit === commit && held.reason === refusal,
    );
  }

  async #deleteAndRestore(): Promise<void> {
    const { draws, publisher, weather } = this.#scene;
    this.#count('branch deleted and restored');
    await publisher.deleteBranch();
    if (draws.random() < 0.7 && weather.gitCalmMs > aftermathMs)
      await this.#all('the missing branch to be said', calmBoundMs, ({ held }) => held?.reason === 'branch-missing');
    else await wait(draws.between(0, 1_000));
    await publisher.restoreBranch();
  }

  /** Waits until the status of every replica passes. What does not come in time is a problem, and told with what is there. */
  async #all(what: string, withinMs: number, passes: (status: StatusReport) => boolean): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const statuses = await Promise.all(this.#scene.replicas.map((replica) => replica.status()));
      if (statuses.every(passes)) return true;
      if (performance.now() > deadline) {
        const told = statuses.map(({ state, active, tip, held, source }) =>
          JSON.stringify({ state, active: active?.commit, tip: tip.commit, held, error: source.errorCode }),
        );
        this.problems.push(`waited ${withinMs} ms in vain for ${what}: ${told.join(' ')}`);
        return false;
      }
      await wait(50);
    }
  }
}
