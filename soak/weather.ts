/** Faults of what surrounds the gateways, each for some seconds: of the git host, and of Redis. */
import { setTimeout as wait } from 'node:timers/promises';
import type { FaultKind, GitServer } from '../test/support/git-server.ts';
import type { TestRedis } from '../test/support/redis.ts';
import type { Draws } from './draws.ts';
import { watchStore } from './store-watch.ts';

const gitFaults: Readonly<Record<string, FaultKind>> = {
  'git answers 500': { kind: 'status', status: 500 },
  'git answers 401': { kind: 'status', status: 401 },
  'git asks for patience': { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  'git hangs': { kind: 'hang' },
  'git stalls': { kind: 'stall', after: 40 },
  'git truncates': { kind: 'truncate', after: 40 },
  'git ends early': { kind: 'shorten', after: 38 },
  'git resets': { kind: 'reset' },
  'git shows a sign-in page': { kind: 'html' },
  'git flips a bit': { kind: 'flip', at: -30 },
};

interface Interval {
  readonly from: number;
  to: number;
}

/** Clients that reconnect to Redis wait up to a second, and their handshakes take time. */
const reconnectMs = 3_000;

export class Weather {
  readonly #git: GitServer;
  readonly #redis: TestRedis;
  readonly #draws: Draws;
  readonly #storeAway: Interval[] = [];
  readonly #endWatch: () => Promise<void>;
  #gitFault: Promise<void> | undefined;
  #storeFault: Promise<void> | undefined;
  #gitCalmSince = 0;

  constructor(git: GitServer, redis: TestRedis, draws: Draws) {
    this.#git = git;
    this.#redis = redis;
    this.#draws = draws;
    this.#endWatch = watchStore(redis.port, (from, to) => this.#storeAway.push({ from, to }));
  }

  /** How long the git host has been well. 0 while it is not. */
  get gitCalmMs(): number {
    return this.#gitFault ? 0 : performance.now() - this.#gitCalmSince;
  }

  storeWasAway(from: number, to: number): boolean {
    return this.#storeAway.some((away) => away.from <= to && from <= away.to + reconnectMs);
  }

  /** How long before this moment the store came back; for people. */
  storeBackFor(at: number): string {
    const last = this.#storeAway.at(-1);
    return last ? `${Math.round(at - last.to)} ms after the store was back` : 'with the store never away';
  }

  /** The name of what begins; undefined when the last fault is not over. */
  disturbGit(): string | undefined {
    if (this.#gitFault) return undefined;
    const name = this.#draws.oneOf(Object.keys(gitFaults));
    const fault = gitFaults[name];
    if (!fault) return undefined;
    this.#git.setFault({ ...fault, method: this.#draws.oneOf(['GET', 'POST'] as const) });
    this.#gitFault = wait(this.#draws.between(500, 4_000)).then(() => {
      this.#git.setFault(undefined);
      this.#gitFault = undefined;
      this.#gitCalmSince = performance.now();
    });
    return name;
  }

  disturbStore(): string | undefined {
    if (this.#storeFault) return undefined;
    const name = this.#draws.oneOf(['Redis killed', 'Redis frozen']);
    const away: Interval = { from: performance.now(), to: Infinity };
    this.#storeAway.push(away);
    const last = this.#draws.between(500, 4_000);
    const fault = name === 'Redis killed' ? this.#killStore(last) : this.#freezeStore(last);
    this.#storeFault = fault.then(() => {
      away.to = performance.now();
      this.#storeFault = undefined;
    });
    return name;
  }

  /** From now on a gateway may not hear the store, by the soak's own doing. Tell at the end whether that was so. */
  storeUnheard(): (wasUnheard: boolean) => void {
    const interval: Interval = { from: performance.now(), to: Infinity };
    this.#storeAway.push(interval);
    return (wasUnheard) => {
      interval.to = performance.now();
      if (!wasUnheard) this.#storeAway.splice(this.#storeAway.indexOf(interval), 1);
    };
  }

  close(): Promise<void> {
    return this.#endWatch();
  }

  /** Resolves when nothing is disturbed any more. */
  async calm(): Promise<void> {
    await Promise.all([this.#gitFault, this.#storeFault]);
  }

  async #killStore(ms: number): Promise<void> {
    await this.#redis.kill();
    await wait(ms);
    await this.#redis.start();
  }

  async #freezeStore(ms: number): Promise<void> {
    this.#redis.freeze();
    await wait(ms);
    this.#redis.continue();
  }
}
