/** Any history of takings, settlements and moments leaves a store where a plain list of all that happened says it should be. */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { spanAt } from '../../../runtime/quota/window.ts';
import type { Demand, Taking, Window } from '../../../runtime/quota/store.ts';
import { calendar, fixed, limitOf, noWindow, sliding, type Open, type Subject } from '../quota-stores.ts';
import type { Limit } from '../taking.ts';

const windows: readonly Window[] = [fixed(10_000), sliding(60_000), calendar('day', 'Europe/Berlin'), noWindow];

type Move =
  | { readonly do: 'take'; readonly amounts: readonly (number | undefined)[]; readonly holdMs: number | undefined }
  | { readonly do: 'settle'; readonly which: number; readonly spent: number }
  | { readonly do: 'wait'; readonly ms: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      amounts: fc.tuple(...windows.map(() => fc.option(fc.nat(6), { nil: undefined }))),
      holdMs: fc.option(fc.constantFrom(500, 5_000, 100_000), { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(30), spent: fc.nat(9) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, 3_000, 11_000, 40_000_000) }),
  },
);

/** One taking of one count, as the list keeps it. */
interface Entry {
  readonly demand: Demand;
  readonly start: number;
  amount: number;
  endsAt: number | undefined;
}

/** Says what a store should say by looking through all that ever happened. */
class PlainList {
  readonly #entries: Entry[] = [];

  /** Used, and what of it is held. */
  reading({ key, window }: Limit, now: number): [used: number, held: number] {
    const current = spanAt(window, now);
    const counted = this.#entries
      .filter((entry) => entry.demand.key === key)
      .filter(({ start }) => (window.kind === 'sliding' ? spanAt(window, start).end > now : start === current.start))
      .filter(({ endsAt }) => endsAt === undefined || endsAt > now);
    const held = counted.filter(({ endsAt }) => endsAt !== undefined);
    return [counted, held].map((some) => some.reduce((sum, { amount }) => sum + amount, 0)) as [number, number];
  }

  take(demand: Demand, now: number): Entry {
    const { amount, holdMs, window } = demand;
    const { start } = spanAt(window, now);
    const entry = { demand, start, amount, endsAt: holdMs === undefined ? undefined : now + holdMs };
    this.#entries.push(entry);
    return entry;
  }

  settle(entry: Entry, spent: number, now: number): void {
    const { demand, start } = entry;
    const wasHeld = entry.endsAt !== undefined;
    // Without a hold there is nothing to know a second settlement by.
    entry.endsAt = undefined;
    if (demand.window.kind === 'none') entry.amount = 0;
    else if (spanAt(demand.window, start).end > now) entry.amount = spent;
    else if (wasHeld) entry.amount = 0;
  }
}

export function modelContract(open: Open): void {
  let subject: Subject;
  before(async () => void (subject = await open()));
  after(async () => await subject.close());

  test('any history leaves the counts that a list of all that happened adds up to', async () => {
    const property = fc.asyncProperty(fc.array(move, { minLength: 10, maxLength: 40 }), async (moves) => {
      await replay(subject, moves);
    });
    await fc.assert(property, { numRuns: 40, seed: 6 });
  });
}

async function replay({ store, sibling, clock }: Subject, moves: readonly Move[]): Promise<void> {
  const list = new PlainList();
  const limits = windows.map((window) => limitOf(12, window));
  const open: { readonly entry: Entry; readonly taking: Taking }[] = [];
  for (const [index, each] of moves.entries()) {
    const user = index % 2 === 0 ? store : sibling;
    if (each.do === 'wait') clock.advance(each.ms);
    if (each.do === 'settle') {
      const [settled] = open.splice(each.which % Math.max(1, open.length), 1);
      if (!settled) continue;
      const settlement = { demand: settled.entry.demand, taking: settled.taking, spent: each.spent };
      await user.settle(settled.taking.hold === undefined ? [settlement] : [settlement, settlement]);
      list.settle(settled.entry, each.spent, clock.wall);
    }
    if (each.do === 'take') {
      const demands = limits.flatMap((limit, at) => demandsOf(limit, each.amounts[at], each.holdMs));
      const before = demands.map((demand) => list.reading(demand, clock.wall)[0]);
      const fits = demands.map((demand, at) => (before[at] ?? 0) + demand.amount <= demand.limit);
      const takings = await user.take(demands);
      const isTaken = fits.every(Boolean);
      assert.deepEqual(
        takings.map(({ granted }) => granted),
        fits,
      );
      if (isTaken)
        for (const [at, demand] of demands.entries()) {
          const taking = takings[at];
          if (taking) open.push({ entry: list.take(demand, clock.wall), taking });
        }
    }
    const readings = await user.read(limits);
    assert.deepEqual(
      readings.map(({ used, held }) => [used, held]),
      limits.map((limit) => list.reading(limit, clock.wall)),
    );
  }
}

function demandsOf(limit: Limit, amount: number | undefined, holdMs: number | undefined): Demand[] {
  if (amount === undefined || (limit.window.kind === 'none' && holdMs === undefined)) return [];
  return [{ ...limit, amount, ...(holdMs !== undefined && { holdMs }) }];
}
