/** A swap that no client notices: what it adds to the longest gap of the event loop, at ten thousand routes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { difference, large, median, stageSwaps } from '../../bench/swap-stall.ts';

const mostAddedMs = 20;
const swaps = 5;
const rounds = 3;

/*
 * The figure is `own`: the gap without the time in which the kernel had given the CPU to somebody else. On a small machine
 * that also runs other tests, a thread that wants to run waits for tens of milliseconds whatever the gateway does; the kernel
 * says how long. What is left still varies (a collection waits for its helper threads, and they for a CPU), so an idle period
 * before each swap is taken off, the median of several swaps counts, and a round that fails is repeated a bounded number of
 * times: a stall of our own would fail them all. Built in one go, this configuration
 * held the loop for more than 600 ms.
 */
test(
  `fault 85: at ${large.routes} routes a swap adds less than ${mostAddedMs} ms to the longest gap of the event loop`,
  { timeout: 170_000 },
  async (context) => {
    await using stage = await stageSwaps(large, rounds * swaps + 1);
    let revision = 1;
    const medians: number[] = [];
    while (medians.length < rounds) {
      const added: number[] = [];
      for (let swap = 0; swap < swaps; swap += 1) {
        revision += 1;
        const target = revision;
        const idle = await stage.gapsDuring(() => wait(500));
        added.push(difference(await stage.gapsDuring(() => stage.swapTo(target)), idle).own);
      }
      medians.push(median(added));
      context.diagnostic(`added: ${added.map((ms) => ms.toFixed(1)).join(', ')} ms`);
      if (median(added) < mostAddedMs) return;
    }
    assert.fail(`medians of ${rounds} rounds: ${medians.map((ms) => ms.toFixed(1)).join(', ')} ms`);
  },
);
