/** Classifies Anthropic's errors, and writes ours in Anthropic's envelope. */
import type { Failure, FailureKind, JsonObject } from '../../call.ts';
import type { WireError } from '../dialect.ts';
import { existingPath, objectIn, textIn, withoutUndefined } from '../json-fields.ts';

/** An account without credit does not recover within seconds. */
const outOfCreditMs = 60_000;

/** platform.claude.com/docs/en/api/errors. `invalid_request_error` covers several things: its sentence decides. */
const kindByType = new Map<string, FailureKind>([
  ['authentication_error', 'credential'],
  ['permission_error', 'credential'],
  ['billing_error', 'rate_limited'],
  ['not_found_error', 'not_found'],
  ['request_too_large', 'context_too_long'],
  ['rate_limit_error', 'rate_limited'],
  ['timeout_error', 'timeout'],
  ['api_error', 'overloaded'],
  ['overloaded_error', 'overloaded'],
]);

/** The sentence is matched, never kept. */
const tooLongText = /prompt is too long|exceed(s|ed)? (the )?(context|maximum) (limit|window|length)|context window/i;
const refusedText = /content filtering policy/i;
/** Both come as `invalid_request_error`: an empty balance, and a spend limit the account set itself. */
const outOfCreditText = /credit balance is too low|reached your specified api usage limits/i;

export function readFailure(status: number, body: JsonObject | undefined, request: JsonObject): Failure {
  const error = objectIn(body, 'error');
  const text = textIn(error, 'message') ?? '';
  const type = textIn(error, 'type') ?? '';
  const isOutOfCredit = type === 'billing_error' || status === 402 || outOfCreditText.test(text);
  const kind = isOutOfCredit
    ? 'rate_limited'
    : (kindByType.get(type) ?? kindOfInvalid(type, text) ?? kindOfStatus(status));
  // There is no param field: the sentence opens with the path, as in `messages.0.content.1.text: …`.
  const path = kind === 'bad_request' ? /^([\w.]{1,200}):\s/.exec(text)?.[1] : undefined;
  return withoutUndefined<Failure>({
    kind,
    status,
    retryAfterMs: isOutOfCredit ? outOfCreditMs : undefined,
    param: path === undefined ? undefined : existingPath(request, path)?.path,
  });
}

/** An `error` event: there is no status any more. */
export function readStreamFailure(body: JsonObject): Failure {
  const error = objectIn(body, 'error');
  const type = textIn(error, 'type') ?? '';
  return { kind: kindByType.get(type) ?? kindOfInvalid(type, textIn(error, 'message') ?? '') ?? 'broken_answer' };
}

function kindOfInvalid(type: string, text: string): FailureKind | undefined {
  if (type !== 'invalid_request_error') return undefined;
  if (tooLongText.test(text)) return 'context_too_long';
  return refusedText.test(text) ? 'content_refused' : undefined;
}

function kindOfStatus(status: number): FailureKind {
  if (status === 401 || status === 403) return 'credential';
  if (status === 404) return 'not_found';
  if (status === 408) return 'timeout';
  if (status === 413) return 'context_too_long';
  if (status === 429) return 'rate_limited';
  // 529 is Anthropic's own "overloaded"; 409 asks for another try.
  if (status >= 500 || status === 409) return 'overloaded';
  return status >= 400 ? 'bad_request' : 'broken_answer';
}

/** platform.claude.com/docs/en/api/errors: `invalid_request_error` stands for every other 4xx, `api_error` for 5xx. */
const typeByStatus = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
]);

/** SDKs look for the stable code in `details.error_code` (anthropic SDK, core/error.ts, `errorCode`). */
export function writeError({ status, code, message, param }: WireError): JsonObject {
  const type = typeByStatus.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  const details = withoutUndefined<JsonObject>({ error_code: code, param });
  return { type: 'error', error: { type, message, details } };
}
