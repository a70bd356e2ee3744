/** Classifies Google's errors, and writes ours in Google's envelope. */
import type { Failure, FailureKind, Json, JsonObject } from '../../call.ts';
import type { WireError } from '../dialect.ts';
import { existingPath, isObject, listIn, objectIn, textIn, withoutUndefined } from '../json-fields.ts';
import { camelCase } from './fields.ts';

/**
 * ai.google.dev/gemini-api/docs/troubleshooting; the words are those of google.rpc.Code. `FAILED_PRECONDITION` says
 * that this account may not be used from here or without billing.
 */
const kindByStatus = new Map<string, FailureKind>([
  ['UNAUTHENTICATED', 'credential'],
  ['PERMISSION_DENIED', 'credential'],
  ['FAILED_PRECONDITION', 'credential'],
  ['NOT_FOUND', 'not_found'],
  ['RESOURCE_EXHAUSTED', 'rate_limited'],
  ['DEADLINE_EXCEEDED', 'timeout'],
  ['INTERNAL', 'overloaded'],
  ['UNAVAILABLE', 'overloaded'],
  ['ABORTED', 'overloaded'],
  ['CANCELLED', 'overloaded'],
  ['UNKNOWN', 'overloaded'],
]);

/** "The input token count (…) exceeds the maximum number of tokens allowed (…)." The sentence is matched, never kept. */
const tooLongText = /token count .{0,40}exceeds the maximum|exceeds the maximum number of (input )?tokens/i;
/** A wrong key is an `INVALID_ARGUMENT` too, with this reason among its details. */
const badKeyReasons = new Set(['API_KEY_INVALID', 'API_KEY_EXPIRED', 'API_KEY_SERVICE_BLOCKED']);
const badKeyText = /api key (not valid|expired)/i;

export function readFailure(status: number, body: JsonObject | undefined, request: JsonObject): Failure {
  const error = objectIn(body, 'error');
  const kind = kindOfError(error) ?? kindOfStatus(status);
  return withoutUndefined<Failure>({
    kind,
    status,
    retryAfterMs: kind === 'rate_limited' ? retryAfterMs(error) : undefined,
    param: kind === 'bad_request' ? fieldAtFault(error, request) : undefined,
  });
}

/** An error inside a stream: the HTTP status is gone, but stands in the error as its code. */
export function readStreamFailure(body: JsonObject): Failure {
  const error = objectIn(body, 'error');
  const stated = Number(error?.code);
  if (stated >= 400 && stated <= 599) return readFailure(stated, body, {});
  return { kind: kindOfError(error) ?? 'broken_answer' };
}

const detailsOf = (error: JsonObject | undefined, type: string): readonly JsonObject[] =>
  listIn(error, 'details').filter(
    (detail): detail is JsonObject => isObject(detail) && textIn(detail, '@type')?.endsWith(`.${type}`) === true,
  );

function kindOfError(error: JsonObject | undefined): FailureKind | undefined {
  const text = textIn(error, 'message') ?? '';
  const reasons = detailsOf(error, 'ErrorInfo').map((detail) => textIn(detail, 'reason') ?? '');
  if (reasons.some((reason) => badKeyReasons.has(reason)) || badKeyText.test(text)) return 'credential';
  if (tooLongText.test(text)) return 'context_too_long';
  return kindByStatus.get(textIn(error, 'status') ?? '');
}

function kindOfStatus(status: number): FailureKind {
  if (status === 401 || status === 403) return 'credential';
  if (status === 404) return 'not_found';
  if (status === 408 || status === 504) return 'timeout';
  if (status === 413) return 'context_too_long';
  if (status === 429) return 'rate_limited';
  if (status >= 500 || status === 409 || status === 499) return 'overloaded';
  return status >= 400 ? 'bad_request' : 'broken_answer';
}

/** There is no Retry-After header: the delay stands in the body, as `"38.601s"` (googleapis/python-genai#2114). */
function retryAfterMs(error: JsonObject | undefined): number | undefined {
  for (const detail of detailsOf(error, 'RetryInfo')) {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(textIn(detail, 'retryDelay') ?? '')?.[1];
    if (seconds !== undefined) return Math.min(Math.ceil(Number(seconds) * 1000), 86_400_000);
  }
  return undefined;
}

/** Paths are told in snake_case, whichever way the request is spelled. */
function fieldAtFault(error: JsonObject | undefined, request: JsonObject): string | undefined {
  const told = detailsOf(error, 'BadRequest').flatMap((detail) => listIn(detail, 'fieldViolations'));
  const paths = told.flatMap((violation) => (isObject(violation) ? (textIn(violation, 'field') ?? []) : []));
  const found = paths.flatMap((path) => [path, camelCase(path)].map((spelled) => existingPath(request, spelled)));
  return (found.find((each) => each?.complete) ?? found.find((each) => each !== undefined))?.path;
}

/** cloud.google.com/apis/design/errors, "HTTP mapping". */
const statusWords = new Map([
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [408, 'DEADLINE_EXCEEDED'],
  [429, 'RESOURCE_EXHAUSTED'],
  [499, 'CANCELLED'],
  [500, 'INTERNAL'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
]);

/** Our stable code is the reason of an `ErrorInfo`, which is always in capitals (google.aip.dev/193). */
export function writeError(error: WireError): JsonObject {
  const { status, code, message, param } = error;
  const details: Json[] = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: code.toUpperCase(),
      domain: 'headgate',
      metadata: { code },
    },
  ];
  if (param !== undefined) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: param, description: message }],
    });
  }
  return { error: { code: status, message, status: statusWords.get(status) ?? 'INVALID_ARGUMENT', details } };
}
