/** Classifies refusals of the Converse API, before a stream and in it. */
import type { Failure, FailureKind, JsonObject } from '../../call.ts';
import { textIn } from '../json-fields.ts';

/**
 * docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, "Errors", and CommonErrors.html. Inside a stream the
 * name begins in lower case (API_runtime_ConverseStreamOutput.html).
 */
const kindByName = new Map<string, FailureKind>([
  ['accessdeniedexception', 'credential'],
  ['expiredtokenexception', 'credential'],
  ['incompletesignature', 'credential'],
  ['invalidsignatureexception', 'credential'],
  ['unrecognizedclientexception', 'credential'],
  ['internalserverexception', 'overloaded'],
  ['modelerrorexception', 'overloaded'],
  ['modelnotreadyexception', 'overloaded'],
  ['modelstreamerrorexception', 'broken_answer'],
  ['modeltimeoutexception', 'timeout'],
  ['resourcenotfoundexception', 'not_found'],
  ['servicequotaexceededexception', 'rate_limited'],
  ['serviceunavailableexception', 'overloaded'],
  ['throttlingexception', 'rate_limited'],
]);

/** A `ValidationException` covers several things: its sentence decides, and is never kept. */
const tooLongText =
  /input is too long|prompt is too long|too many input tokens|exceeds? (the )?(context|maximum) (limit|window|length)|context (limit|window|length)/i;
const refusedText = /content (filter|policy)|blocked by .*(filter|guardrail)/i;
const unknownModelText = /model identifier is invalid|model .*(not found|does(n't| not) exist)/i;
const quotaText = /quota/i;

function kindOfText(text: string): FailureKind | undefined {
  if (tooLongText.test(text)) return 'context_too_long';
  if (unknownModelText.test(text)) return 'not_found';
  if (refusedText.test(text)) return 'content_refused';
  return quotaText.test(text) ? 'rate_limited' : undefined;
}

function kindOfStatus(status: number): FailureKind {
  if (status === 401 || status === 403) return 'credential';
  if (status === 404) return 'not_found';
  if (status === 408) return 'timeout';
  if (status === 413) return 'context_too_long';
  if (status === 429) return 'rate_limited';
  // 424 is a ModelErrorException: the model behind the service failed.
  if (status >= 500 || status === 424) return 'overloaded';
  return status >= 400 ? 'bad_request' : 'broken_answer';
}

const kindOfName = (name: string | undefined): FailureKind | undefined =>
  name === undefined ? undefined : kindByName.get((name.split('#').at(-1) ?? '').toLowerCase());
const sentenceIn = (body: JsonObject | undefined): string => textIn(body, 'message') ?? textIn(body, 'Message') ?? '';

/** The name of the exception is in a header that is not told here, and in `__type` where a proxy keeps it. */
export function readFailure(status: number, body: JsonObject | undefined): Failure {
  const invalid = status === 400 ? kindOfText(sentenceIn(body)) : undefined;
  return { kind: kindOfName(textIn(body, '__type')) ?? invalid ?? kindOfStatus(status), status };
}

/** An exception in a stream: there is no status any more. */
export function readStreamFailure(name: string, body: JsonObject | undefined): Failure {
  const isInvalid = name.toLowerCase() === 'validationexception';
  return { kind: kindOfName(name) ?? (isInvalid ? (kindOfText(sentenceIn(body)) ?? 'bad_request') : 'broken_answer') };
}
