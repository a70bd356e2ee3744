/** One process of the race: calls that take, spend and settle, until SIGTERM. Its only parameter are its options in JSON. */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { openQuotaStore } from '../../../runtime/quota/open.ts';
import { StoreUnavailable, type Demand, type Taking } from '../../../runtime/quota/store.ts';
import { machineTime, type CallerOptions, type Line } from './journal.ts';

const { store: where, journal, limits, callers, holdMs, callMs } = JSON.parse(process.argv[2] ?? '') as CallerOptions;
const store = openQuotaStore(where);
const file = openSync(journal, 'a');
let running = true;
process.once('SIGTERM', () => (running = false));

type Unstamped<Each> = Each extends Line ? Omit<Each, 'at'> : never;

// Written before the next step is taken: a line that is missing says that the step was not.
const write = (line: Unstamped<Line>) => void writeSync(file, `${JSON.stringify({ ...line, at: machineTime() })}\n`);

async function orLost<Result>(work: Promise<Result>): Promise<Result | StoreUnavailable> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreUnavailable) return error;
    throw error;
  }
}

async function spend(call: string, demands: readonly Demand[], takings: readonly Taking[]): Promise<void> {
  // Whatever becomes of this process, the provider sends its bill from here on.
  const amounts = demands.map(({ amount, holdMs: held }) =>
    held === undefined ? amount : Math.floor(Math.random() * (amount + 1)),
  );
  write({ is: 'spent', call, amounts });
  await wait(Math.random() * callMs);
  write({ is: 'settling', call });
  const settlements = demands.flatMap((demand, index) => {
    const taking = takings[index];
    return taking?.hold !== undefined ? [{ demand, taking, spent: amounts[index] ?? 0 }] : [];
  });
  // What was held is settled once, so saying it again after a lost answer is harmless.
  while ((await orLost(store.settle(settlements))) instanceof StoreUnavailable) await wait(20);
  write({ is: 'settled', call });
}

async function callOnce(call: string, takesNothingHeld: boolean): Promise<void> {
  const demands = limits.map(({ key, limit, window, slack, most, isCounted }) => {
    const amount = takesNothingHeld && !isCounted ? 0 : 1 + Math.floor(Math.random() * most);
    const held = isCounted || amount === 0 ? {} : { holdMs };
    return { key, limit, window, amount, ...held, ...(slack !== undefined && { slack }) };
  });
  write({ is: 'asked', call, amounts: demands.map(({ amount }) => amount) });
  const takings = await orLost(store.take(demands));
  if (takings instanceof StoreUnavailable) {
    write({ is: 'lost', call, isUndone: takings.isUndone });
    await wait(20);
    return;
  }
  const starts = takings.map(({ start }) => start);
  if (takings.every(({ granted }) => granted)) {
    write({ is: 'took', call, starts });
    return spend(call, demands, takings);
  }
  write({ is: 'refused', call, starts, granted: takings.map(({ granted }) => granted) });
  await wait(5 + Math.random() * 20);
}

async function keepCalling(caller: number): Promise<void> {
  // One more than race finds room whatever they hold.
  for (let call = 0; running; call += 1) await callOnce(`${process.pid}-${caller}-${call}`, caller === callers);
}

const isCounting = limits.some(({ isCounted }) => isCounted);
await Promise.all(Array.from({ length: callers + (isCounting ? 1 : 0) }, (_, caller) => keepCalling(caller)));
await store.close();
write({ is: 'ended', call: `${process.pid}` });
