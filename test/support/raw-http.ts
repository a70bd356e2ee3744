/** Speaks HTTP over a bare socket, or over TLS where the address says so, byte by byte, to say what no client library would say and to see what really comes back. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectOverTls } from 'node:tls';
import { until } from './until.ts';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; of a repeated header the last value. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Cut {
  readonly body: string;
  readonly rest: string;
}

function cutChunked(text: string): Cut | undefined {
  let body = '';
  let at = 0;
  for (;;) {
    const line = text.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(text.slice(at, line), 16);
    const end = line + 2 + size;
    if (text.length < end + 2) return undefined;
    if (size === 0) return { body, rest: text.slice(end + 2) };
    body += text.slice(line + 2, end);
    at = end + 2;
  }
}

/** The first whole answer in `text`; undefined while it is incomplete. */
function cutAnswer(text: string): { answer: RawAnswer; rest: string } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const status = Number(statusLine.split(' ')[1]);
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const rest = text.slice(headEnd + 4);
  const length = Number(headers['content-length'] ?? 0);
  const cut =
    headers['transfer-encoding'] === 'chunked'
      ? cutChunked(rest)
      : rest.length < length
        ? undefined
        : { body: rest.slice(0, length), rest: rest.slice(length) };
  return cut && { answer: { status, headers, body: cut.body }, rest: cut.rest };
}

export class RawClient {
  readonly #socket: Socket;
  #text = '';
  #closed = false;

  constructor(url: string) {
    const { protocol, hostname, port } = new URL(url);
    const to = { host: hostname, port: Number(port), allowHalfOpen: true };
    // Who answers is beside the point here.
    this.#socket = protocol === 'https:' ? connectOverTls({ ...to, rejectUnauthorized: false }) : connect(to);
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => (this.#text += text));
    // The other side's refusal often comes as a reset; what it said before is what counts.
    this.#socket.on('error', () => undefined);
    this.#socket.on('end', () => (this.#closed = true));
    this.#socket.on('close', () => (this.#closed = true));
  }

  /** Whether the other side has ended the connection. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Everything that has come so far, as it came. */
  get text(): string {
    return this.#text;
  }

  send(text: string): this {
    this.#socket.write(text, 'latin1');
    return this;
  }

  /** Takes the next whole answer off what has come. Informational ones (1xx) count as answers. */
  async answer(withinMs = 5_000): Promise<RawAnswer> {
    const { answer, rest } = await until(
      'a whole HTTP answer',
      async () => {
        const cut = cutAnswer(this.#text);
        if (!cut && this.#closed) throw new Error(`the connection ended after ${JSON.stringify(this.#text)}`);
        return cut;
      },
      withinMs,
    );
    this.#text = rest;
    return answer;
  }

  /** Resolves when the other side has ended the connection. */
  async ended(withinMs = 5_000): Promise<void> {
    await until('the connection to end', async () => this.#closed, withinMs);
  }

  async leave(): Promise<void> {
    if (this.#socket.destroyed) return;
    const closed = once(this.#socket, 'close');
    this.#socket.destroy();
    await closed;
  }
}

/** Sends `text` on a connection of its own and returns the first answer and whether the connection was then ended. */
export async function rawExchange(url: string, text: string): Promise<RawAnswer & { readonly closed: boolean }> {
  const client = new RawClient(url);
  try {
    const answer = await client.send(text).answer();
    if (answer.headers['connection'] === 'close') await client.ended();
    return { ...answer, closed: client.closed };
  } finally {
    await client.leave();
  }
}
