/**
 * A provider that answers in process: the same reply for the same request, embeddings, token usage, streaming, and latency
 * and faults as declared. For trying the gateway without a key and for testing what surrounds it; it is no language model.
 */
import type { JsonObject } from '../call.ts';
import { openaiChat } from '../dialects/openai-chat.ts';
import { openaiEmbeddings } from '../dialects/openai-embeddings.ts';
import { duration } from '../duration.ts';
import type { OutputOf, Zod } from '../zod.ts';
import { apiAt } from './options.ts';
import { sandboxAnswer, type SandboxReply } from './sandbox-answer.ts';
import { sandboxEmbeddings } from './sandbox-embeddings.ts';
import type { ProviderKind, UpstreamRequest, UpstreamResponse } from './provider.ts';

const options = (z: Zod) => z.strictObject({});

const plainModel = { reply: 'You said: {{input}}', latency: 0, chunkInterval: 0 };

const modelOptions = (z: Zod) =>
  z.strictObject({
    /** What it says. `{{input}}` stands for the last user message. */
    reply: z.string().min(1).max(10_000).default(plainModel.reply),
    /** Time before the first byte. */
    latency: duration(z, 0, 600_000).default(plainModel.latency),
    /** Time between two streamed chunks. */
    chunkInterval: duration(z, 0, 60_000).default(plainModel.chunkInterval),
    /** Answers with this failure instead: on every n-th request, counted from the start of the revision. */
    fault: z
      .strictObject({
        /** `cut` breaks the connection: before the answer, or in the middle of a stream. */
        type: z.enum(['cut', 'hang', 'status']),
        /** For `status`. */
        status: z.int().min(400).max(599).default(503),
        every: z.int().min(1).default(1),
      })
      .optional(),
  });

export type SandboxModel = OutputOf<typeof modelOptions>;

const embeddingsPath = '/embeddings';

const bodyOf = ({ body }: UpstreamRequest) => JSON.parse(Buffer.from(body).toString('utf8')) as JsonObject;

function replyTo(request: UpstreamRequest, model: SandboxModel): SandboxReply {
  const body = bodyOf(request);
  if (request.path === embeddingsPath) return { stream: false, body: sandboxEmbeddings(body) };
  return sandboxAnswer(body, model.reply);
}

const jsonHeaders = { 'content-type': 'application/json' };

/** Waits, or rejects as soon as the caller gives up. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  if (ms === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

const cutError = () => Object.assign(new Error('the sandbox cut the connection'), { code: 'ECONNRESET' });

async function* inPieces(
  pieces: readonly string[],
  plan: { model: SandboxModel; cutAfter: number; signal: AbortSignal },
) {
  const encoder = new TextEncoder();
  for (const [index, piece] of pieces.entries()) {
    if (index >= plan.cutAfter) throw cutError();
    if (index > 0) await wait(plan.model.chunkInterval, plan.signal);
    yield encoder.encode(piece);
  }
}

function response(status: number, headers: Record<string, string>, body: AsyncIterable<Uint8Array>): UpstreamResponse {
  return { status, headers, body, discard() {} };
}

async function answer(request: UpstreamRequest, model: SandboxModel, faulty: boolean): Promise<UpstreamResponse> {
  await wait(model.latency, request.signal);
  const fault = faulty ? model.fault : undefined;
  const whole = { model, cutAfter: Infinity, signal: request.signal };
  if (fault?.type === 'hang') await wait(2 ** 31 - 1, request.signal);
  if (fault?.type === 'status') {
    const body = { error: { message: 'declared sandbox fault', type: 'sandbox_fault', param: null, code: null } };
    return response(fault.status, jsonHeaders, inPieces([JSON.stringify(body)], whole));
  }
  const reply = replyTo(request, model);
  if (!reply.stream) {
    if (fault?.type === 'cut') throw cutError();
    return response(200, jsonHeaders, inPieces([reply.body], whole));
  }
  const cutAfter = fault?.type === 'cut' ? Math.ceil(reply.events.length / 2) : Infinity;
  return response(200, { 'content-type': 'text/event-stream' }, inPieces(reply.events, { ...whole, cutAfter }));
}

export const sandbox = {
  options,
  modelOptions,
  plainModel,
  connect: () => ({
    origin: 'sandbox:',
    apis: [apiAt('/chat/completions', openaiChat)],
    tasks: [{ task: openaiEmbeddings.vendor, path: () => embeddingsPath }],
    headers: {},
  }),
  transport(_options, models) {
    const served = new Map<string, number>();
    return async (request) => {
      const { model: id } = bodyOf(request) as { model: string };
      const model = models.get(id) as SandboxModel | undefined;
      if (!model)
        return response(
          404,
          jsonHeaders,
          inPieces(['{"error":{"code":"model_not_found"}}'], {
            model: plainModel,
            cutAfter: 1,
            signal: request.signal,
          }),
        );
      const count = (served.get(id) ?? 0) + 1;
      served.set(id, count);
      return answer(request, model, model.fault !== undefined && count % model.fault.every === 0);
    };
  },
} satisfies ProviderKind<typeof options>;
