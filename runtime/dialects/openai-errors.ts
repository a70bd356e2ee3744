/** Classifies the errors of OpenAI and its compatible vendors, and writes ours in OpenAI's envelope: the same in each of its APIs. */
import type { Failure, FailureKind, JsonObject } from '../call.ts';
import type { WireError } from './dialect.ts';
import { existingPath, isObject, objectIn, textIn, withoutUndefined } from './json-fields.ts';

/** An account without credit does not recover within seconds; its Retry-After, if any, is about something else. */
const outOfCreditMs = 60_000;

/** `error.code` and `error.type` of OpenAI (platform.openai.com, "error codes"), Azure, Gemini and OpenRouter. */
const kindByWord = new Map<string, FailureKind>([
  ['context_length_exceeded', 'context_too_long'],
  ['content_filter', 'content_refused'],
  ['content_policy_violation', 'content_refused'],
  ['responsibleaipolicyviolation', 'content_refused'],
  ['moderation_blocked', 'content_refused'],
  // OpenAI's reasoning models: the prompt was flagged as violating the usage policy.
  ['invalid_prompt', 'content_refused'],
  ['invalid_api_key', 'credential'],
  ['incorrect_api_key', 'credential'],
  ['api_key_invalid', 'credential'],
  ['authentication_error', 'credential'],
  ['model_not_found', 'not_found'],
  ['deploymentnotfound', 'not_found'],
  ['insufficient_quota', 'rate_limited'],
  ['credit_balance_exhausted', 'rate_limited'],
  ['billing_hard_limit_reached', 'rate_limited'],
  ['billing_not_active', 'rate_limited'],
  ['rate_limit_exceeded', 'rate_limited'],
  ['rate_limit_error', 'rate_limited'],
  ['requests', 'rate_limited'],
  ['tokens', 'rate_limited'],
  ['slow_down', 'overloaded'],
  ['server_is_overloaded', 'overloaded'],
  ['overloaded', 'overloaded'],
  ['overloaded_error', 'overloaded'],
  ['server_error', 'overloaded'],
  ['service_unavailable_error', 'overloaded'],
  ['internal_server_error', 'overloaded'],
]);
const outOfCredit = /^(insufficient_quota|credit_balance_exhausted|billing_)/;

/** vLLM, llama.cpp, xAI, Cerebras and others have no code for it: only the sentence tells. It is matched, never kept. */
const tooLongText =
  /maximum (context|prompt) length|context (length|window|size)|too many (input )?tokens|(prompt|input) is too long|current length is \d+ while limit is/i;
/** xAI sends its sentence in the way of a URL (i-am-bee/beeai-framework#447). */
const badKeyText = /api key not valid|invalid api key|incorrect(?: |%20)api(?: |%20)key/i;

export function readFailure(status: number, body: JsonObject | undefined, request: JsonObject): Failure {
  const error = errorIn(body);
  const kind = classify(status, error);
  const words = wordsOf(error);
  const param = kind === 'bad_request' ? existingPath(request, textIn(error, 'param') ?? '') : undefined;
  return withoutUndefined<Failure>({
    kind,
    status,
    retryAfterMs: status === 402 || words.some((word) => outOfCredit.test(word)) ? outOfCreditMs : undefined,
    param: param?.complete === true ? param.path : undefined,
  });
}

/** An error inside a stream: the HTTP status is gone, but some vendors put it into the error as its code or status. */
export function readStreamFailure(body: JsonObject): Failure {
  const error = errorIn(body);
  const stated = Number(error?.code ?? error?.status ?? error?.status_code);
  if (stated >= 400 && stated <= 599) return readFailure(stated, body, {});
  return { kind: kindOfWords(wordsOf(error)) ?? kindOfText(error) ?? 'broken_answer' };
}

/** The envelope is `{error: {…}}`; some vendors send `{error: "text"}`, and some the members at the top. */
function errorIn(body: JsonObject | undefined): JsonObject | undefined {
  if (typeof body?.error === 'string') return { ...body, message: body.error };
  return isObject(body?.error) ? body.error : body;
}

function wordsOf(error: JsonObject | undefined): readonly string[] {
  const inner = objectIn(error, 'innererror');
  return [error?.code, inner?.code, error?.type, error?.status].flatMap((word) =>
    typeof word === 'string' ? word.toLowerCase() : [],
  );
}

function kindOfWords(words: readonly string[]): FailureKind | undefined {
  for (const word of words) {
    const kind = kindByWord.get(word);
    if (kind !== undefined) return kind;
  }
  return undefined;
}

function kindOfText(error: JsonObject | undefined): FailureKind | undefined {
  const text = textIn(error, 'message') ?? textIn(error, 'detail') ?? '';
  if (tooLongText.test(text)) return 'context_too_long';
  return badKeyText.test(text) ? 'credential' : undefined;
}

function classify(status: number, error: JsonObject | undefined): FailureKind {
  // Groq answers 413 when the request alone is over the limit: waiting does not help, a larger window may.
  if (status === 413) return 'context_too_long';
  const named = kindOfWords(wordsOf(error));
  if (named !== undefined) return named;
  if (status === 402 || status === 429) return 'rate_limited';
  if (status === 400 || status === 403 || status === 422) {
    const told = kindOfText(error);
    if (told !== undefined) return told;
    // OpenRouter's moderation answers 403 with its reasons (openrouter.ai/docs, "errors").
    if (status === 403 && Array.isArray(objectIn(error, 'metadata')?.reasons)) return 'content_refused';
  }
  if (status === 401 || status === 403) return 'credential';
  if (status === 404) return 'not_found';
  if (status === 408) return 'timeout';
  // 409 and 425 ask for another try of the same request.
  if (status >= 500 || status === 409 || status === 425) return 'overloaded';
  return status >= 400 ? 'bad_request' : 'broken_answer';
}

export function writeError(error: WireError): JsonObject {
  return { error: { message: error.message, type: error.type, param: error.param ?? null, code: error.code } };
}
