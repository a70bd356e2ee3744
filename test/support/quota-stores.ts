/** The three quota stores on a clock that a test moves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '../../runtime/quota/memory.ts';
import { redisStore } from '../../runtime/quota/redis.ts';
import { sqliteStore } from '../../runtime/quota/sqlite.ts';
import type { QuotaStore, Window } from '../../runtime/quota/store.ts';
import type { Limit } from './taking.ts';

/** Both what people call the time, and what passes of it. */
export class MovedClock {
  wall = Date.parse('2026-11-22T12:34:56.789Z');
  elapsed = 5_000;

  readonly now = (): number => this.wall;
  readonly passed = (): number => this.elapsed;

  advance(ms: number): void {
    this.wall += ms;
    this.elapsed += ms;
  }

  /** Sets what people call the time; nothing passes. */
  set(at: number): void {
    this.wall = at;
  }

  /** Lets time pass until then, or sets the time back to it. */
  moveTo(at: number): void {
    if (at > this.wall) this.advance(at - this.wall);
    else this.set(at);
  }
}

/** A store under test. */
export interface Subject {
  readonly store: QuotaStore;
  /** A second user of the same counts, where there can be one. */
  readonly sibling: QuotaStore;
  readonly clock: MovedClock;
  close(): Promise<void>;
}

export type Open = () => Promise<Subject>;

export const openMemory: Open = async () => {
  const clock = new MovedClock();
  const store = memoryStore(clock.now, clock.passed);
  return { store, sibling: store, clock, close: () => store.close() };
};

export const openSqlite: Open = async () => {
  const clock = new MovedClock();
  const folder = temporaryFolder();
  const [store, sibling] = [1, 2].map(() => sqliteStore(folder, clock.now, clock.passed));
  if (!store || !sibling) throw new Error('two stores were opened');
  const close = async () => {
    await Promise.all([store.close(), sibling.close()]);
    rmSync(folder, { recursive: true });
  };
  return { store, sibling, clock, close };
};

export async function openRedis(url: string): Promise<Subject> {
  const clock = new MovedClock();
  // A busy machine may take longer than a gateway waits.
  const options = { now: clock.now, commandTimeoutMs: 3_000 };
  const [store, sibling] = [redisStore(url, options), redisStore(url, options)];
  const close = async () => void (await Promise.all([store.close(), sibling.close()]));
  return { store, sibling, clock, close };
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'headgate-quota-'));
}

let keys = 0;

/** A count that nobody else has. */
export const limitOf = (limit: number, window: Window): Limit => ({ key: `quota-${keys++}`, limit, window });

export const fixed = (ms: number) => ({ kind: 'fixed', ms }) as const;
export const sliding = (ms: number) => ({ kind: 'sliding', ms }) as const;
export const calendar = (unit: 'day' | 'week' | 'month' | 'year', zone: string) =>
  ({ kind: 'calendar', unit, zone }) as const;
export const noWindow = { kind: 'none' } as const;
