/** Looks into a running Node process from outside: the heap of all its threads after a collection, descriptors, memory, gaps. */
import { readdir, readFile } from 'node:fs/promises';

/** Environment of a process that may be looked into. */
export const inspectable = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

export interface Inspected {
  /** Bytes in use once garbage was collected, all threads together. */
  heapUsed(): Promise<number>;
  /** The longest time the event loop stood still since the last call; collections of `heapUsed` count unless it was called before. */
  longestGapMs(): Promise<number>;
  /** Before the process is asked to end: it would wait for this first. */
  close(): void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** Questions and answers with one thread, by whatever way they travel. */
class Session {
  readonly #send: (text: string) => void;
  readonly #waiting = new Map<number, { resolve: (result: Message['result']) => void; reject: (e: Error) => void }>();
  #nextId = 1;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  ask(method: string, params: object = {}): Promise<Message['result']> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send(JSON.stringify({ id, method, params }));
    });
  }

  heard({ id, result, error }: Message): void {
    const waiting = this.#waiting.get(id ?? 0);
    this.#waiting.delete(id ?? 0);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the thread is gone'));
    this.#waiting.clear();
  }
}

async function heapOf(session: Session): Promise<number> {
  await session.ask('HeapProfiler.collectGarbage');
  return Number((await session.ask('Runtime.getHeapUsage'))?.['usedSize']);
}

const resolutionMs = 10;
const takeGap = `(() => {
  const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
  globalThis.gapsOfTest ??= monitorEventLoopDelay({ resolution: ${resolutionMs} });
  const longest = globalThis.gapsOfTest.max;
  globalThis.gapsOfTest.enable();
  globalThis.gapsOfTest.reset();
  return longest / 1e6;
})()`;

/** `output`: what the process printed so far, the address of its inspector among it. */
export async function inspect(output: string): Promise<Inspected> {
  // The last: a program that starts another in its place prints one for each.
  const url = [...output.matchAll(/Debugger listening on (ws:\S+)/g)].at(-1)?.[1];
  if (url === undefined) throw new Error('the process was not started with `inspectable`');
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${url}`)), { once: true });
  });
  const main = new Session((text) => socket.send(text));
  const threads = new Map<string, Session>();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    const sessionId = String(message.params?.['sessionId']);
    if (message.id !== undefined) main.heard(message);
    else if (message.method === 'NodeWorker.attachedToWorker') {
      const send = (text: string) =>
        void main.ask('NodeWorker.sendMessageToWorker', { sessionId, message: text }).catch(() => undefined);
      threads.set(sessionId, new Session(send));
    } else if (message.method === 'NodeWorker.receivedMessageFromWorker') {
      threads.get(sessionId)?.heard(JSON.parse(String(message.params?.['message'])) as Message);
    } else if (message.method === 'NodeWorker.detachedFromWorker') {
      threads.get(sessionId)?.end();
      threads.delete(sessionId);
    }
  });
  socket.addEventListener('close', () => {
    for (const session of [main, ...threads.values()]) session.end();
  });
  await main.ask('NodeWorker.enable', { waitForDebuggerOnStart: false });
  return {
    async heapUsed() {
      // A thread that ends while it is asked uses nothing any more.
      const others = [...threads.values()].map((session) => heapOf(session).catch(() => 0));
      return (await Promise.all([heapOf(main), ...others])).reduce((sum, used) => sum + used, 0);
    },
    async longestGapMs() {
      const answer = await main.ask('Runtime.evaluate', { expression: takeGap, returnByValue: true });
      const result = answer?.['result'] as { readonly value: number } | undefined;
      return Math.max(0, (result?.value ?? NaN) - resolutionMs);
    },
    close: () => socket.close(),
  };
}

export async function descriptorsOf(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** Resident memory in bytes. */
export async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
