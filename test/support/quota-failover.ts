/** A load of calls while another Redis takes over: how much of what was acknowledged is not counted afterwards, and for how long nothing was granted. */
import { setTimeout as wait } from 'node:timers/promises';
import { openQuotaStore } from '../../runtime/quota/open.ts';
import { StoreUnavailable, type Demand, type QuotaStore } from '../../runtime/quota/store.ts';
import { limitOf, calendar } from './quota-stores.ts';
import { until } from './until.ts';

export interface FailoverLoad {
  /** What is taken and not heard of is free again after so long. */
  readonly holdMs: number;
  readonly callers: number;
  /** A call holds one unit for so long, and spends it. */
  readonly callMs: number;
  /** The load goes on for so long before, and after the first call that was granted again. */
  readonly forMs: number;
  /** From the beginning of the trouble until the server that is lost is asked no more. Default 100. */
  readonly leftWithinMs?: number;
}

export interface FailoverFigures {
  /** Calls that were granted, ended and settled. */
  readonly calls: number;
  /** Takings that nobody answered. */
  readonly unanswered: number;
  /** What the store counts when all is quiet. */
  readonly counted: number;
  /** Settled and not counted: so much more can be spent. */
  readonly lost: number;
  /** Counted and not settled. */
  readonly over: number;
  /** Settlements that were acknowledged in the last 100 ms before the trouble, and until the server was left. */
  readonly atRisk: number;
  /** The longest time in which nothing was granted. */
  readonly gapMs: number;
}

/** No follower is further behind, where nobody makes it slow. */
const lagMs = 100;

interface Course {
  calls: number;
  unanswered: number;
  gapMs: number;
  grantedAt: number;
  /** When a settlement was acknowledged. */
  readonly settledAt: number[];
  running: boolean;
}

async function orAway<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}

async function callOnce(store: QuotaStore, demand: Demand, { course, callMs }: { course: Course; callMs: number }) {
  const [taking] = (await orAway(store.take([demand]))) ?? [];
  if (!taking?.granted) {
    course.unanswered += 1;
    await wait(20);
    return;
  }
  const now = performance.now();
  course.gapMs = Math.max(course.gapMs, now - course.grantedAt);
  course.grantedAt = now;
  await wait(callMs);
  course.calls += 1;
  // What the store did not hear it is told again.
  const isHeard = await orAway(store.settle([{ demand, taking, spent: 1 }]).then(() => true));
  if (isHeard) course.settledAt.push(performance.now());
}

/** `trouble` ends when a call may be granted again. */
export async function loadWhile(
  url: string,
  { callers, callMs, forMs, holdMs, leftWithinMs = lagMs }: FailoverLoad,
  trouble: () => Promise<void>,
): Promise<FailoverFigures> {
  const store = openQuotaStore(url);
  const demand: Demand = { ...limitOf(Number.MAX_SAFE_INTEGER, calendar('year', 'UTC')), amount: 1, holdMs };
  const course: Course = { calls: 0, unanswered: 0, gapMs: 0, grantedAt: Infinity, settledAt: [], running: true };
  const calling = Array.from({ length: callers }, async () => {
    while (course.running) await callOnce(store, demand, { course, callMs });
  });
  try {
    await until('the first call', async () => course.grantedAt < Infinity, 5_000);
    await wait(forMs);
    const from = performance.now();
    await trouble();
    // Answers that were on their way when a server was killed still arrive.
    const to = performance.now() + lagMs;
    await until('a call to be granted again', async () => course.grantedAt > to, 20_000);
    await wait(forMs);
    course.running = false;
    await Promise.all(calling);
    // What was taken and not heard of ends with its hold; what was not settled is told meanwhile.
    await wait(holdMs);
    const [reading] = await store.read([demand]);
    const { calls, unanswered, gapMs, settledAt } = course;
    const counted = reading?.used ?? Number.NaN;
    return {
      calls,
      unanswered,
      counted,
      lost: Math.max(0, calls - counted),
      over: Math.max(0, counted - calls),
      atRisk: settledAt.filter((at) => at > from - lagMs && at <= from + leftWithinMs).length,
      gapMs,
    };
  } finally {
    course.running = false;
    await store.close();
  }
}

export const failoverInWords = (name: string, figures: FailoverFigures): string =>
  `${name}: ${figures.calls} calls settled, ${figures.counted} counted (${figures.lost} lost of ${figures.atRisk} at risk, ${figures.over} too many), ` +
  `${figures.unanswered} takings without an answer, nothing granted for ${Math.round(figures.gapMs)} ms`;
