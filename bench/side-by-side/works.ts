/** The work that every row of the benchmark is given, and the request that asks for it. */
import { dialectNames, dialects, type DialectName } from './dialects.ts';

export interface Pace {
  readonly chunks: number;
  readonly ms: number;
}

export interface Work {
  readonly name: string;
  /** What it is printed with, and may be chosen by. */
  readonly group: 'unary' | 'rate' | 'body' | 'stream' | 'slow' | 'rest' | 'translate' | 'workers';
  readonly title: string;
  readonly client: DialectName | 'rest';
  readonly vendor: DialectName | 'rest';
  /** Of a stream; undefined where the answer comes at once. */
  readonly pace: Pace | undefined;
  readonly bytes: number;
  readonly connections: number;
  /** Requests a second, whatever comes back; 0: as many as go. */
  readonly rate: number;
  /** Exactly so many; 0: for as long as a sample lasts. */
  readonly requests: number;
  /** Names of the rows that it is for; undefined: all. */
  readonly rows?: readonly string[];
}

const burst: Pace = { chunks: 200, ms: 0 };

function work(name: string, group: Work['group'], title: string, rest: Partial<Work> = {}): Work {
  return {
    name,
    group,
    title,
    client: 'openai',
    vendor: 'openai',
    pace: undefined,
    bytes: 1_024,
    connections: 64,
    rate: 0,
    requests: 0,
    ...rest,
  };
}

const slow = (streams: number): Work =>
  work(`slow-${streams}`, 'slow', `${streams.toLocaleString('en')} streams at once, of 8 chunks, one a second`, {
    pace: { chunks: 8, ms: 1_000 },
    connections: streams,
    requests: streams,
  });

const translations: readonly Work[] = dialectNames.flatMap((client) =>
  dialectNames.flatMap((vendor) => {
    const way = client === vendor ? `${client} untouched` : `${client} to ${vendor}`;
    const name = `translate-${client}-${vendor}`;
    return [
      work(`${name}-unary`, 'translate', `chat of 1 KB, ${way}, 64 connections`, { client, vendor }),
      work(`${name}-stream`, 'translate', `200 chunks in a burst, ${way}, 16 connections`, {
        client,
        vendor,
        pace: burst,
        connections: 16,
      }),
    ];
  }),
);

export const works: readonly Work[] = [
  ...[1, 16, 64, 256].map((connections) =>
    work(`unary-${connections}`, 'unary', `chat of 1 KB, ${connections} connection${connections > 1 ? 's' : ''}`, {
      connections,
    }),
  ),
  work('rate-200', 'rate', 'chat of 1 KB, 200 requests a second', { rate: 200 }),
  work('rate-2000', 'rate', 'chat of 1 KB, 2,000 requests a second', { rate: 2_000 }),
  work('body-10k', 'body', 'chat of 10 KB, 64 connections', { bytes: 10 * 1_024 }),
  work('body-100k', 'body', 'chat of 100 KB, 32 connections', { bytes: 100 * 1_024, connections: 32 }),
  work('body-1m', 'body', 'chat of 1 MB, 8 connections', { bytes: 1_024 * 1_024, connections: 8 }),
  work('burst', 'stream', '200 chunks in a burst, 16 connections', { pace: burst, connections: 16 }),
  work('paced', 'stream', '200 chunks, one each 10 ms, 15 streams a second', {
    pace: { chunks: 200, ms: 10 },
    rate: 15,
  }),
  slow(1_000),
  slow(5_000),
  work('rest-64', 'rest', 'GET of a small resource, 64 connections', { client: 'rest', vendor: 'rest', bytes: 0 }),
  ...translations,
  work('workers', 'workers', 'chat of 1 KB, 64 connections, one worker on one processor and two on two', {
    rows: ['headgate', 'headgate-two-workers'],
  }),
];

/** The work before samples of `of`: as much of the same as goes. */
export const warmUpOf = (of: Work): Work =>
  of.pace !== undefined && of.pace.ms > 0
    ? { ...of, pace: burst, connections: 16, rate: 0, requests: 0 }
    : { ...of, rate: 0, connections: Math.min(of.connections, 64) };

/** The vendor's model that answers at that pace. */
export const modelOf = ({ pace }: Pick<Work, 'pace'>): string =>
  pace === undefined ? 'plain' : `stream-${pace.chunks}-${pace.ms}`;

/** How a row wants to be asked. */
export interface Asking {
  readonly model: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One raw request for `native/load.c`. */
export function requestOf({ client, pace, bytes }: Work, { model, key = 'sk-vendor', headers = {} }: Asking): string {
  const isRest = client === 'rest';
  const dialect = isRest ? undefined : dialects[client];
  const body = dialect?.body(model, pace !== undefined, bytes) ?? '';
  const own = Object.entries({ ...(dialect?.headers ?? { authorization: 'Bearer {key}' }), ...headers });
  const lines = [
    dialect ? `POST ${dialect.path(model, pace !== undefined)} HTTP/1.1` : 'GET /items/42?expand=stock HTTP/1.1',
    'Host: localhost',
    'Accept: application/json',
    'User-Agent: OpenAI/Python 2.3.0',
    ...own.map(([name, value]) => `${name}: ${value.replace('{key}', key)}`),
    ...(isRest ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
