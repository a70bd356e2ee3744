/** What clients and vendors of the benchmark say, in each dialect: requests of a given size, answers at once and in pieces. */

export const dialectNames = ['openai', 'anthropic', 'gemini'] as const;
export type DialectName = (typeof dialectNames)[number];

interface Dialect {
  path(model: string, isStream: boolean): string;
  /** A question of exactly `bytes`. */
  body(model: string, isStream: boolean, bytes: number): string;
  readonly headers: Readonly<Record<string, string>>;
  /** Parts of answers as `native/upstream.c` reads them. */
  readonly answers: Readonly<Record<'whole' | 'first' | 'chunk' | 'last', string>>;
}

/** `native/upstream.c` puts the time there, and `native/load.c` takes it out. */
const mark = `@@${'0'.repeat(19)}@@`;
const system = 'You are a careful site reliability assistant. Answer briefly, and say when you are not sure.';
const report =
  'Summarise the incident below for an on-call engineer, in three bullet points, with a likely cause and one next step. ' +
  'At 09:14 UTC the checkout service began to return 502 for about four percent of requests; the alert fired at 09:21. ' +
  'A configuration had been rolled out at 09:12. Latency at p99 rose from 310 ms to 1.9 s, while p50 stayed at 88 ms. ';
const answer =
  'A gateway copies as little as it can, parses only what it must, and never blocks the loop. It keeps warm connections ' +
  'to each vendor, counts what was used, and says clearly when a limit was hit or a vendor failed. It is changed by a ' +
  'commit, taken back by another, and tells with each answer which one it came from. What it cannot do it refuses, and ' +
  'names the place and the cure; what it can do it does in the same way for everyone who may ask.';

const event = (data: unknown, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
/** Anthropic's events are named by their type. */
const typed = (data: { readonly type: string; readonly [name: string]: unknown }): string => event(data, data.type);

/** The question, filled up with text to exactly `bytes`. */
function filled(make: (text: string) => object, bytes: number): string {
  const empty = JSON.stringify(make('')).length;
  if (empty > bytes) throw new Error(`a question takes at least ${empty} bytes`);
  return JSON.stringify(make(report.repeat(Math.ceil(bytes / report.length)).slice(0, bytes - empty)));
}

const chatId = 'chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012';
const chatModel = 'gpt-4o-mini-2024-07-18';
const openaiChunk = (delta: object, rest: object = {}): string =>
  event({
    id: chatId,
    object: 'chat.completion.chunk',
    created: 1_795_305_600,
    model: chatModel,
    service_tier: 'default',
    system_fingerprint: 'fp_0123456789',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...rest }],
  });
const openaiUsage = { prompt_tokens: 220, completion_tokens: 200, total_tokens: 420 };

const openai: Dialect = {
  path: () => '/v1/chat/completions',
  headers: { authorization: 'Bearer {key}' },
  body: (model, isStream, bytes) =>
    filled(
      (text) => ({
        messages: [
          { role: 'system', content: system },
          { role: 'user', content: text },
        ],
        model,
        temperature: 0.2,
        max_tokens: 256,
        ...(isStream && { stream: true, stream_options: { include_usage: true } }),
      }),
      bytes,
    ),
  answers: {
    whole: JSON.stringify({
      id: chatId,
      object: 'chat.completion',
      created: 1_795_305_600,
      model: chatModel,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: answer, refusal: null, annotations: [] },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        ...openaiUsage,
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
      },
      service_tier: 'default',
      system_fingerprint: 'fp_0123456789',
    }),
    first: openaiChunk({ role: 'assistant', content: '', refusal: null }),
    chunk: openaiChunk({ content: ` token ${mark}` }),
    last:
      openaiChunk({}, { finish_reason: 'stop' }) +
      event({
        id: chatId,
        object: 'chat.completion.chunk',
        created: 1_795_305_600,
        model: chatModel,
        choices: [],
        usage: openaiUsage,
      }) +
      'data: [DONE]\n\n',
  },
};

const message = {
  id: 'msg_013Zva2CMHLNnXjNJJKqJ2EF',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-4-5',
  stop_sequence: null,
};

const anthropic: Dialect = {
  path: () => '/v1/messages',
  headers: { 'x-api-key': '{key}', 'anthropic-version': '2023-06-01' },
  body: (model, isStream, bytes) =>
    filled(
      (text) => ({
        max_tokens: 256,
        messages: [{ role: 'user', content: text }],
        model,
        system,
        temperature: 0.2,
        ...(isStream && { stream: true }),
      }),
      bytes,
    ),
  answers: {
    whole: JSON.stringify({
      ...message,
      content: [{ type: 'text', text: answer }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 220, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 200 },
    }),
    first:
      typed({
        type: 'message_start',
        message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 220, output_tokens: 1 } },
      }) + typed({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    chunk: typed({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ` token ${mark}` } }),
    last:
      typed({ type: 'content_block_stop', index: 0 }) +
      typed({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 200 },
      }) +
      typed({ type: 'message_stop' }),
  },
};

const candidate = (text: string, rest: object = {}) => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...rest }],
  usageMetadata: { promptTokenCount: 220, candidatesTokenCount: 200, totalTokenCount: 420 },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789',
});

const gemini: Dialect = {
  path: (model, isStream) =>
    `/v1beta/models/${model}:${isStream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  headers: { 'x-goog-api-key': '{key}' },
  body: (_model, _isStream, bytes) =>
    filled(
      (text) => ({
        contents: [{ role: 'user', parts: [{ text }] }],
        systemInstruction: { parts: [{ text: system }] },
        generationConfig: { temperature: 0.2, maxOutputTokens: 256 },
      }),
      bytes,
    ),
  answers: {
    whole: JSON.stringify(candidate(answer, { finishReason: 'STOP' })),
    // Google ends lines as HTTP does.
    first: event(candidate('The')).replaceAll('\n', '\r\n'),
    chunk: event(candidate(` token ${mark}`)).replaceAll('\n', '\r\n'),
    last: event(candidate('.', { finishReason: 'STOP' })).replaceAll('\n', '\r\n'),
  },
};

export const dialects: Readonly<Record<DialectName, Dialect>> = { openai, anthropic, gemini };

/** A plain resource, for REST. */
export const resource = JSON.stringify({
  id: 42,
  name: 'widget',
  tags: ['a', 'b', 'c'],
  price: 12.5,
  stock: { eu: 10, us: 20 },
  description: 'A plain resource of about two hundred bytes, so that headers are most of what there is to do.',
});
