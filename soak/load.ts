/** Clients that ask on whatever happens: whole answers, streams and REST, on connections that stay open. */
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { testKey } from '../test/support/gateway.ts';
import type { Answer, Judge } from './judge.ts';
import type { Replica } from './replica.ts';

const patienceMs = 15_000;

interface Asking {
  readonly asked: Answer['asked'];
  readonly form: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string | undefined;
  /** Reads the text out of a whole answer. */
  readonly read: (body: string) => Pick<Answer, 'says' | 'failure'>;
}

function readChat(body: string): Pick<Answer, 'says' | 'failure'> {
  const { choices, error } = JSON.parse(body) as {
    choices?: { message: { content: string } }[];
    error?: { code: string };
  };
  return { says: choices?.[0]?.message.content, failure: error?.code };
}

/** A stream is whole when its end mark came, and nothing in it is an error. */
function readStream(body: string): Pick<Answer, 'says' | 'failure'> {
  if (body.startsWith('{')) return readChat(body);
  let says = '';
  const events = body.split('\n\n').flatMap((event) => (event.startsWith('data: ') ? [event.slice(6)] : []));
  for (const event of events.slice(0, -1)) {
    const { choices, error } = JSON.parse(event) as {
      choices?: { delta: { content?: string } }[];
      error?: { code: string };
    };
    if (error) return { says, failure: error.code };
    says += choices?.[0]?.delta.content ?? '';
  }
  return { says, failure: events.at(-1) === '[DONE]' ? undefined : 'no end mark' };
}

function readOrder(body: string): Pick<Answer, 'says' | 'failure'> {
  const { says, code } = JSON.parse(body) as { says?: string; code?: string };
  return { says, failure: code };
}

function chat(asked: Exclude<Answer['asked'], 'orders'>, stream: boolean): Asking {
  const body = JSON.stringify({ model: asked, stream, messages: [{ role: 'user', content: 'Which are you?' }] });
  const [form, read] = stream ? [`${asked} stream`, readStream] : [asked, readChat];
  return { asked, form, method: 'POST', path: '/v1/chat/completions', body, read };
}

const orders = (method: 'GET' | 'POST'): Asking => ({
  asked: 'orders',
  form: `orders ${method}`,
  method,
  path: '/orders/17',
  body: method === 'POST' ? JSON.stringify({ order: 'x'.repeat(2_000) }) : undefined,
  read: readOrder,
});

const clients: readonly Asking[] = [
  chat('which', false),
  chat('which', true),
  chat('which', true),
  chat('assured', false),
  chat('assured', true),
  chat('exposed', false),
  chat('exposed', true),
  chat('strict', false),
  orders('GET'),
  orders('POST'),
];

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

async function ask(replica: Replica, asking: Asking, agent: Agent): Promise<Answer> {
  const { asked, form, method, path, body, read } = asking;
  const startedAt = performance.now();
  let answer: Answer = {
    replica,
    asked,
    form,
    status: 0,
    revision: undefined,
    says: undefined,
    failure: undefined,
    startedAt,
    headAt: startedAt,
    endedAt: startedAt,
  };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { authorization: `Bearer ${testKey}`, ...(body ? { 'content-type': 'application/json' } : {}) };
      const signal = AbortSignal.timeout(patienceMs);
      request(`${replica.dataUrl}${path}`, { method, agent, headers, signal }, resolve).once('error', reject).end(body);
    });
    const revision = response.headers['headgate-revision'];
    const told = { status: response.statusCode ?? 0, revision: typeof revision === 'string' ? revision : undefined };
    answer = { ...answer, ...told, headAt: performance.now() };
    answer = { ...answer, ...read(await textOf(response)) };
    if (answer.status !== 200 && answer.failure === undefined) answer = { ...answer, failure: 'no code' };
  } catch (error) {
    // The revision stays: a good head does not excuse what came after it.
    answer = { ...answer, status: 0, failure: error instanceof Error ? `${error.name}: ${error.message}` : 'unknown' };
  }
  return { ...answer, endedAt: performance.now() };
}

export interface Load {
  /** Lets requests under way end. */
  stop(): Promise<void>;
}

/** `rate`: requests a second at all replicas together, about. */
export function startLoad(replicas: readonly Replica[], judge: Judge, rate: number): Load {
  const pauseMs = (1_000 * replicas.length * clients.length) / rate;
  let over = false;
  const agents = replicas.map(() => new Agent({ keepAlive: true }));
  const running = replicas.flatMap((replica, index) =>
    clients.map(async (asking) => {
      while (!over) {
        const answer = await ask(replica, asking, agents[index] ?? new Agent());
        judge.hear(answer);
        // What the answer took is part of the pause, so that slow answers do not thin the load out.
        const rest = pauseMs * (0.5 + Math.random()) - (answer.endedAt - answer.startedAt);
        await wait(Math.max(5, rest));
      }
    }),
  );
  return {
    async stop() {
      over = true;
      await Promise.all(running);
      for (const agent of agents) agent.destroy();
    },
  };
}
