/** The gateway under `swap-stall.ts`, in a process of its own with instruments on its event loop: nothing else is in its heap. */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { startWith } from '../test/support/gateway.ts';

/** Longest times, in milliseconds, that the event loop did not come round. */
export interface Gaps {
  /** Between two ticks of a timer of 1 ms. */
  readonly ticker: number;
  /** As `perf_hooks.monitorEventLoopDelay` saw it. */
  readonly monitor: number;
  /** As the ticker, without the time in which the kernel gave the CPU to somebody else although the loop could have run. */
  readonly own: number;
  /** Longest CPU time between two ticks. */
  readonly cpu: number;
  /** Longest pause of the garbage collector. */
  readonly collection: number;
  /** How long was measured. */
  readonly lasted: number;
}

/** Milliseconds that this thread has waited for a CPU so far; 0 where the kernel does not tell. */
function waitedForCpu(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

function cpuTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e3;
}

/** Begins to watch; the returned function ends it and tells. */
function watch(): () => Promise<Gaps> {
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  const longest = { ticker: 0, own: 0, cpu: 0, collection: 0 };
  const collector = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest.collection = Math.max(longest.collection, duration);
  });
  collector.observe({ entryTypes: ['gc'] });
  const began = performance.now();
  let last = { at: began, waited: waitedForCpu(), cpu: cpuTime() };
  const ticker = setInterval(() => {
    const now = { at: performance.now(), waited: waitedForCpu(), cpu: cpuTime() };
    const gap = now.at - last.at;
    longest.ticker = Math.max(longest.ticker, gap);
    longest.own = Math.max(longest.own, gap - (now.waited - last.waited));
    longest.cpu = Math.max(longest.cpu, now.cpu - last.cpu);
    last = now;
  }, 1);
  monitor.enable();
  return async () => {
    const lasted = performance.now() - began;
    // A gap that is still open counts too.
    await wait(5);
    clearInterval(ticker);
    monitor.disable();
    collector.disconnect();
    return { ...longest, monitor: monitor.max / 1e6, lasted };
  };
}

const gateway = await startWith(process.argv.slice(2));
let stop: (() => Promise<Gaps>) | undefined;
process.on('message', (word: 'watch' | 'tell' | 'end') => {
  void (async () => {
    if (word === 'watch') stop = watch();
    else if (word === 'tell') process.send?.(await stop?.());
    else {
      await gateway.close();
      process.disconnect();
    }
  })();
});
process.send?.(gateway.adminUrl);
