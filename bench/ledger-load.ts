/**
 * What the ledger takes from requests. Each gateway is a process of its own: one without a ledger, another without, which
 * shows what the machine alone makes of it, and one with. They are asked in turns, the first of each round another one.
 */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess, type GatewayProcess } from '../test/support/gateway-process.ts';
import { testKey } from '../test/support/gateway.ts';
import { body, cpuMsOf, snapshot } from './one-reply.ts';

const perRound = 300;
const atOnce = 4;
const warmUps = 3;
/** What a round left behind is written by then, and counts as its own. */
const settleMs = 300;

interface Side {
  readonly name: string;
  readonly gateway: GatewayProcess;
  readonly agent: Agent;
  readonly rounds: (readonly number[])[];
  /** Milliseconds of all rounds, all threads of the process. */
  cpuMs: number;
}

function askOnce({ gateway, agent }: Side): Promise<number> {
  const headers = {
    authorization: `Bearer ${testKey}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(`${gateway.dataUrl}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`the gateway answered ${response.statusCode}`));
      response.resume().on('end', () => resolve(performance.now() - began));
    });
    sent.on('error', reject).end(body);
  });
}

async function askMany(side: Side): Promise<readonly number[]> {
  const times: number[] = [];
  let left = perRound;
  const caller = async () => {
    while ((left -= 1) >= 0) times.push(await askOnce(side));
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  await sleep(settleMs);
  return times;
}

export const at = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.floor(share * times.length)] ?? 0;

/** The median over rounds of what one round shows. */
const typical = (rounds: readonly (readonly number[])[], share: number): number =>
  at(
    rounds.map((times) => at(times, share)),
    0.5,
  );

/** The ratio of medians, and between which it lies in 95 of 100 draws of as many rounds from these. */
function ratioText(side: Side, base: Side, share: number): string {
  const [mine, theirs] = [side, base].map(({ rounds }) => rounds.map((times) => at(times, share)));
  if (!mine || !theirs) return '';
  const drawn = Array.from({ length: 2_000 }, () => {
    const picks = mine.map(() => Math.floor(Math.random() * mine.length));
    const median = (values: readonly number[]) =>
      at(
        picks.map((pick) => values[pick] ?? 0),
        0.5,
      );
    return median(mine) / median(theirs);
  });
  const told = (ratio: number) => ratio.toFixed(3);
  const ratio = typical(side.rounds, share) / typical(base.rounds, share);
  return `${told(ratio)} (${told(at(drawn, 0.025))} to ${told(at(drawn, 0.975))})`;
}

function print(sides: readonly Side[]): void {
  const [base] = sides;
  if (!base) return;
  const requests = base.rounds.length * perRound;
  const lines = sides.map((side) => {
    const all = side.rounds.flat();
    const milliseconds = [typical(side.rounds, 0.5), typical(side.rounds, 0.99), at(all, 0.99), side.cpuMs / requests];
    const ratios = side === base ? ['', ''] : [ratioText(side, base, 0.5), ratioText(side, base, 0.99)];
    return [side.name, ...milliseconds.map((ms) => `${ms.toFixed(3)} ms`), ...ratios].join(' | ');
  });
  process.stdout.write(
    `${requests.toLocaleString('en')} requests a side, ${atOnce} at once, in ${base.rounds.length} rounds of each; p50 and p99 are medians over rounds\n` +
      `| ledger | p50 | p99 | p99 of all | processor time of a request | p50 to off | p99 to off |\n` +
      `| --- | --- | --- | --- | --- | --- | --- |\n${lines.map((line) => `| ${line} |\n`).join('')}`,
  );
}

export async function sideBySide(directory: string, rounds: number): Promise<void> {
  const places = { off: 'off', 'off, again': 'off', on: directory };
  const sides: Side[] = [];
  try {
    for (const [name, where] of Object.entries(places)) {
      const gateway = await startProcess(snapshot, {}, ['--log-level', 'error', '--ledger', where]);
      const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
      sides.push({ name, gateway, agent, rounds: [], cpuMs: 0 });
    }
    for (let round = 0; round < warmUps; round += 1) for (const side of sides) await askMany(side);
    for (let round = 0; round < rounds; round += 1) {
      const first = round % sides.length;
      const turned = [...sides.slice(first), ...sides.slice(0, first)];
      for (const side of round % 2 === 0 ? turned : turned.toReversed()) {
        const before = cpuMsOf(side.gateway.pid);
        side.rounds.push(await askMany(side));
        side.cpuMs += cpuMsOf(side.gateway.pid) - before;
      }
    }
    print(sides);
  } finally {
    for (const { agent, gateway } of sides) {
      agent.destroy();
      await gateway.kill();
    }
  }
}
