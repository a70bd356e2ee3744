/** One gateway as a process of its own, and what can be learnt of it from outside. */
import type { StatusReport } from '../runtime/serve.ts';
import { descriptorsOf, inspect, inspectable, residentOf, type Inspected } from '../test/support/inspected.ts';
import { startHeadgate, type Running } from '../test/support/process.ts';

export interface Sample {
  readonly heapMiB: number;
  readonly residentMiB: number;
  readonly descriptors: number;
  readonly gapMs: number;
  /** How long the collection for this sample held the gateway still: the soak's doing, and not the gateway's. */
  readonly heldStillMs: number;
}

export class Replica {
  readonly name: string;
  readonly dataUrl: string;
  readonly samples: Sample[] = [];
  readonly #running: Running;
  readonly #adminUrl: string;
  readonly #inspected: Inspected;

  constructor(name: string, running: Running, parts: { dataUrl: string; adminUrl: string; inspected: Inspected }) {
    this.name = name;
    this.dataUrl = parts.dataUrl;
    this.#running = running;
    this.#adminUrl = parts.adminUrl;
    this.#inspected = parts.inspected;
  }

  get isAlive(): boolean {
    return this.#running.child.exitCode === null && this.#running.child.signalCode === null;
  }

  /** Lines of its log that are about this event. */
  logged(event: string): string[] {
    return this.#running.output.split('\n').filter((line) => line.includes(`"event":"${event}"`));
  }

  async status(): Promise<StatusReport> {
    return (await (await fetch(`${this.#adminUrl}/status`)).json()) as StatusReport;
  }

  async isReady(): Promise<boolean> {
    return (await fetch(`${this.#adminUrl}/readyz`)).ok;
  }

  /** Values of one metric by the text of its labels. */
  async metric(name: string): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`${this.#adminUrl}/metrics`)).text();
    const lines = text.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`, 'gm'));
    return new Map([...lines].map(([, labels = '', value]) => [labels, Number(value)]));
  }

  async sample(): Promise<Sample> {
    const { pid = 0 } = this.#running.child;
    // First, so that the collection that follows is in no figure.
    const gapMs = await this.#inspected.longestGapMs();
    const heapMiB = (await this.#inspected.heapUsed()) / 2 ** 20;
    const [descriptors, resident] = await Promise.all([descriptorsOf(pid), residentOf(pid)]);
    const heldStillMs = await this.#inspected.longestGapMs();
    const sample = { heapMiB, residentMiB: resident / 2 ** 20, descriptors, gapMs, heldStillMs };
    this.samples.push(sample);
    return sample;
  }

  /** Ends it as an orchestrator would, and gives the exit code. */
  end(): Promise<number | null> {
    this.#inspected.close();
    return this.#running.end();
  }

  kill(): void {
    this.#running.child.kill('SIGKILL');
  }
}

export async function startReplica(name: string, flags: readonly string[]): Promise<Replica> {
  const ports = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const environment = { ...inspectable, SOAK_VENDOR_KEY: 'the-key-of-the-vendor' };
  const running = startHeadgate(['serve', ...ports, ...flags], { env: environment });
  // However the soak ends, it leaves no gateway behind.
  process.once('exit', () => running.child.kill('SIGKILL'));
  const [, dataUrl = '', adminUrl = ''] = await running.printed(
    /"event":"listening","dataUrl":"([^"]+)","adminUrl":"([^"]+)"/,
  );
  return new Replica(name, running, { dataUrl, adminUrl, inspected: await inspect(running.output) });
}
