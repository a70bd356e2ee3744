/** One line of recorded traffic: a request line of the gateway's own log, or `headgate/traffic.v1`. Neither holds content unless a team put it there. */
import { isCallPath, isTaskPath } from '@headgate/runtime/decide';
import { isRecord } from '../revision.ts';

export const trafficFormat = 'headgate/traffic.v1';

/** One message: what it says, or only how long it is. */
export type Turn = { readonly role: string } & ({ readonly content: string } | { readonly tokens: number });

export interface Recorded {
  /** When it came, in milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly consumer: string | undefined;
  /** The model that was asked for; undefined for routes. */
  readonly model: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether `headers` and `metadata` are all there was of what a configuration may read. */
  readonly complete: boolean;
  readonly messages: number | readonly Turn[] | undefined;
  /** Of the client's messages, as estimated. */
  readonly tokens: number | undefined;
  /** Of all that was sent, as the provider counted. */
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly stream: boolean;
}

/** Why a line that is sound is not replayed. */
export type Skipped = 'no_request' | 'not_decided' | 'model_unknown' | 'content_unknown' | 'no_conversation';
export type Line = { readonly recorded: Recorded } | { readonly skipped: Skipped } | { readonly problem: string };

type Fields = Readonly<Record<string, unknown>>;

const mostTokens = 10_000_000;
const mostMessages = 100_000;
const credentials = /^(authorization|proxy-authorization|cookie|x-api-key|api-key|x-goog-api-key)$/i;

const textIn = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
};

const isCount = (value: unknown, most: number): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;

const countIn = (fields: Fields, name: string, most = mostTokens): number | undefined => {
  const value = fields[name];
  return isCount(value, most) ? value : undefined;
};

type Expected = readonly [sort: string, isSound: (value: unknown) => boolean];

const aText: Expected = ['a text', (value) => typeof value === 'string' && value !== ''];
const aCount: Expected = [`a whole number up to ${mostTokens}`, (value) => isCount(value, mostTokens)];
const someTexts: Expected = ['an object of texts', (value) => areTexts(value)];

const expected: Readonly<Record<string, Expected>> = {
  method: aText,
  path: aText,
  host: aText,
  consumer: aText,
  model: aText,
  headers: someTexts,
  metadata: someTexts,
  messages: ['a count, or a list of {role, content} or {role, tokens}', (value) => areMessages(value)],
  tokens: aCount,
  inputTokens: aCount,
  outputTokens: aCount,
  maxOutputTokens: aCount,
  stream: ['true or false', (value) => typeof value === 'boolean'],
};

/** A field that stands there and is not what it must be. Only our own words: the line may hold anything. */
function wrongField(fields: Fields): string | undefined {
  const wrong = Object.entries(expected).find(([name, [, isSound]]) => name in fields && !isSound(fields[name]));
  return wrong && `"${wrong[0]}" must be ${wrong[1][0]}`;
}

const areTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  isRecord(value) && Object.values(value).every((each) => typeof each === 'string');

const roles: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool']);

const isTurn = (value: unknown): value is Turn =>
  isRecord(value) &&
  roles.has(value['role']) &&
  (typeof value['content'] === 'string' || isCount(value['tokens'], mostTokens));

const areTurns = (value: readonly unknown[]): boolean =>
  value.length > 0 &&
  value.length <= mostMessages &&
  value.every(isTurn) &&
  value.reduce<number>((sum, turn) => sum + ('tokens' in turn ? turn.tokens : 0), 0) <= mostTokens;

const areMessages = (value: unknown): boolean =>
  Array.isArray(value) ? areTurns(value) : isCount(value, mostMessages);

const textsIn = (value: unknown): Readonly<Record<string, string>> => (areTexts(value) ? value : {});

function readOwn(fields: Fields): Line {
  const problem = wrongField(fields);
  if (problem !== undefined) return { problem };
  const at = Date.parse(textIn(fields, 'at') ?? '');
  if (Number.isNaN(at)) return { problem: '"at" must be a time such as 2026-01-31T12:00:00Z' };
  const path = textIn(fields, 'path');
  if (!path?.startsWith('/')) return { problem: '"path" must be where the request went, such as /v1/chat/completions' };
  if (isTaskPath(path)) return { skipped: 'no_conversation' };
  const model = textIn(fields, 'model');
  if (model === undefined && isCallPath(path) && textIn(fields, 'method') !== 'GET')
    return { problem: '"model" is missing: write what the call asked for' };
  const headers = textsIn(fields['headers']);
  if (Object.keys(headers).some((name) => credentials.test(name)))
    return { problem: '"headers" hold a credential: record the name of the consumer instead' };
  const messages = fields['messages'];
  return {
    recorded: {
      at,
      path,
      model,
      headers,
      method: textIn(fields, 'method') ?? 'POST',
      host: textIn(fields, 'host'),
      consumer: textIn(fields, 'consumer'),
      metadata: textsIn(fields['metadata']),
      complete: true,
      messages: Array.isArray(messages) ? (messages as readonly Turn[]) : countIn(fields, 'messages', mostMessages),
      tokens: countIn(fields, 'tokens'),
      inputTokens: countIn(fields, 'inputTokens'),
      outputTokens: countIn(fields, 'outputTokens'),
      maxOutputTokens: countIn(fields, 'maxOutputTokens'),
      stream: fields['stream'] === true,
    },
  };
}

/** Ends before any stage that configuration has a part in, or for what was said in the request. */
const notDecided: ReadonlySet<string> = new Set(['not_ready', 'invalid_json', 'unsupported_media_type']);
const forContent: ReadonlySet<string> = new Set([
  'blocked_by_policy',
  'invalid_request',
  'not_carried',
  'body_too_large',
]);

function readLog(fields: Fields): Line {
  if (fields['event'] !== 'request') return { skipped: 'no_request' };
  const [path, matched] = [textIn(fields, 'path'), textIn(fields, 'matched') ?? 'none'];
  const ended = Date.parse(textIn(fields, 'time') ?? '');
  if (Number.isNaN(ended)) return { problem: '"time" is no time' };
  const code = textIn(fields, 'code') ?? '';
  if (!path?.startsWith('/') || notDecided.has(code)) return { skipped: 'not_decided' };
  // What operations without a conversation ask for stands in no log.
  if (isTaskPath(path)) return { skipped: 'no_conversation' };
  if (forContent.has(code)) return { skipped: 'content_unknown' };
  const model = matched.startsWith('model:') ? matched.slice('model:'.length) : undefined;
  const isCall = textIn(fields, 'method') === 'POST' && (isCallPath(path) || textIn(fields, 'surface'));
  if (model === undefined && isCall) return { skipped: 'model_unknown' };
  const took = fields['ms'];
  return {
    recorded: {
      // The line is written when a request ends; quotas count it when it comes.
      at: ended - (typeof took === 'number' && took > 0 ? Math.round(took) : 0),
      path,
      model,
      headers: {},
      metadata: {},
      method: textIn(fields, 'method') ?? 'POST',
      host: textIn(fields, 'host'),
      consumer: textIn(fields, 'consumer'),
      // What was asked for and not sent is known to have been absent.
      complete: code === 'prompt_variable_missing',
      messages: countIn(fields, 'messages', mostMessages),
      tokens: countIn(fields, 'conversation_tokens'),
      inputTokens: countIn(fields, 'input_tokens'),
      outputTokens: countIn(fields, 'output_tokens'),
      maxOutputTokens: countIn(fields, 'max_output_tokens'),
      stream: fields['stream'] === true,
    },
  };
}

export function readLine(text: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the line.
    return { problem: 'it is not JSON' };
  }
  if (!isRecord(value)) return { problem: 'it is no JSON object' };
  if (value['format'] === trafficFormat) return readOwn(value);
  if (typeof value['event'] === 'string') return readLog(value);
  // Other lines of the log, of the gateway or of what runs beside it.
  if (typeof value['level'] === 'string') return { skipped: 'no_request' };
  return { problem: `it is neither a line of the gateway's log nor "format": "${trafficFormat}"` };
}
