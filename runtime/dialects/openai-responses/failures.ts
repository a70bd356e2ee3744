/** Classifies what the Responses API tells of a failure inside a stream or inside a response. */
import type { Failure, FailureKind, Json, JsonObject } from '../../call.ts';
import { objectIn, textIn } from '../json-fields.ts';
import { readStreamFailure } from '../openai-errors.ts';

/** Codes that only this API has (openai SDK, `ResponseError`). */
const kindByCode = new Map<Json | undefined, FailureKind>([
  ['bio_policy', 'content_refused'],
  ['misalignment_policy_violation', 'content_refused'],
  ['image_content_policy_violation', 'content_refused'],
]);
/** All others about images say that one cannot be used. */
const badImage = /image/;

/**
 * `body` is an event of type `error` or a response that failed. By the book the event's members stand at its top, in
 * practice they stand under `error` (openai-dotnet#881).
 */
export function readResponseFailure(body: JsonObject): Failure {
  const code = textIn(objectIn(body, 'error') ?? body, 'code') ?? '';
  const kind = kindByCode.get(code) ?? (badImage.test(code) ? 'bad_request' : undefined);
  return kind === undefined ? readStreamFailure(body) : { kind };
}
