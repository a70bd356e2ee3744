/** Every failure a client can see: one class, one table. Messages are ours; upstream text and causes go to the log only. */

interface ErrorEntry {
  readonly status: number;
  /** OpenAI's type word; other dialects map it to their own. */
  readonly type: string;
  /** What it means, for the reference page. */
  readonly meaning: string;
}

const entry = (status: number, type: string, meaning: string): ErrorEntry => ({ status, type, meaning });

export const errorTable = {
  bad_request: entry(400, 'invalid_request_error', 'The bytes are no well-formed HTTP/1.1 request.'),
  tls_required: entry(400, 'invalid_request_error', 'The port speaks TLS, and the request came without.'),
  invalid_json: entry(400, 'invalid_request_error', 'The body is not JSON.'),
  invalid_request: entry(400, 'invalid_request_error', 'A field is missing or wrong; `param` names it.'),
  prompt_variable_missing: entry(
    400,
    'invalid_request_error',
    'The prompt of this model needs a value that the request lacks.',
  ),
  context_length_exceeded: entry(
    400,
    'invalid_request_error',
    'The conversation does not fit, even after the context policy.',
  ),
  operation_not_supported: entry(
    400,
    'invalid_request_error',
    'The model is for something else, such as chat where embeddings were asked for, or no provider behind it does that.',
  ),
  not_carried: entry(
    400,
    'invalid_request_error',
    'The model is strict, and none of its targets takes all of the request; the message names each with the fields that it cannot carry.',
  ),
  upstream_rejected_request: entry(
    400,
    'invalid_request_error',
    'The provider finds the request wrong; `param` names the field where it said so.',
  ),
  missing_api_key: entry(401, 'authentication_error', 'No key was sent.'),
  invalid_api_key: entry(401, 'authentication_error', 'The key is not known here.'),
  key_expired: entry(401, 'authentication_error', 'The key has expired.'),
  invalid_token: entry(
    401,
    'authentication_error',
    'The token is not accepted: the message says why, such as its time, its audience, or claims that no consumer is for.',
  ),
  invalid_certificate: entry(
    401,
    'authentication_error',
    'No key was sent, and the client certificate is not accepted: the message says why, such as its time, or names that no consumer is for.',
  ),
  model_not_allowed: entry(
    403,
    'permission_error',
    'This consumer may not use this model, or only this key of it may not; the message says which.',
  ),
  prompt_not_allowed: entry(
    403,
    'permission_error',
    'This consumer may not use the prompt of this model, or only this key of it may not; the message says which.',
  ),
  address_not_allowed: entry(403, 'permission_error', 'The key may not be used from the address of this request.'),
  route_not_allowed: entry(
    403,
    'permission_error',
    'This consumer may not use this route, or only this key of it may not; the message says which.',
  ),
  files_not_allowed: entry(403, 'permission_error', 'No account keeps files or batches of this API for this consumer.'),
  list_not_allowed: entry(
    403,
    'permission_error',
    'The account keeps what others have too, and its list would show it: keep the ids that you are given.',
  ),
  object_not_found: entry(404, 'invalid_request_error', 'There is no such file or batch, or it is not yours.'),
  route_not_found: entry(404, 'invalid_request_error', 'No route matches this host, method and path.'),
  model_not_found: entry(404, 'invalid_request_error', 'No model of that name is configured.'),
  method_not_allowed: entry(405, 'invalid_request_error', 'The path exists, the method does not.'),
  request_timeout: entry(408, 'invalid_request_error', 'The request did not arrive in time.'),
  body_too_large: entry(413, 'invalid_request_error', 'The body is larger than this route takes.'),
  unsupported_media_type: entry(
    415,
    'invalid_request_error',
    'The body must be uncompressed application/json, or a form where files are sent.',
  ),
  expectation_failed: entry(417, 'invalid_request_error', 'The only `Expect` that is met is `100-continue`.'),
  head_too_large: entry(431, 'invalid_request_error', 'The request line and headers together are longer than 16 KiB.'),
  blocked_by_policy: entry(422, 'invalid_request_error', 'A policy of this model refuses the content.'),
  quota_exceeded: entry(
    429,
    'rate_limit_error',
    'A quota is used up; the message names it and `Retry-After` tells when there may be room again.',
  ),
  upstream_rate_limited: entry(
    429,
    'rate_limit_error',
    'Every target is rate limited by its provider; see `Retry-After`.',
  ),
  client_closed_request: entry(499, 'invalid_request_error', 'The client left before the answer; only ever logged.'),
  gateway_stopped: entry(
    503,
    'server_error',
    'The gateway was told to stop, and the time that requests in flight may take (`--drain`) was over; only ever logged.',
  ),
  internal_error: entry(500, 'server_error', 'A fault of the gateway itself; the log has it under this request id.'),
  upstream_failed: entry(
    502,
    'server_error',
    'Every target failed; the last one answered with an error or could not be reached.',
  ),
  upstream_credential_refused: entry(502, 'server_error', "The provider refused the gateway's own credential."),
  upstream_model_unknown: entry(502, 'server_error', 'The provider does not know the configured model or path.'),
  upstream_broken_answer: entry(
    502,
    'server_error',
    'The provider sent an answer that cannot be understood, or that ended early.',
  ),
  upstream_content_refused: entry(422, 'invalid_request_error', "The provider's content rules refused the request."),
  issuer_unavailable: entry(503, 'server_error', "The keys of the token's issuer cannot be fetched."),
  not_ready: entry(503, 'server_error', 'No verified configuration is active yet.'),
  no_target_available: entry(503, 'server_error', 'Every target of this model is out of rotation.'),
  upstream_busy: entry(
    503,
    'server_error',
    'Every target has as many requests as its `maxConcurrency` allows, and as many waiting; see `Retry-After`.',
  ),
  quota_store_unavailable: entry(
    503,
    'server_error',
    'The quota store does not answer and this quota is declared closed.',
  ),
  upstream_timeout: entry(504, 'server_error', 'The provider did not answer in time.'),
} as const;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorDetails {
  readonly param?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Tells an SDK not to try again by itself. */
  readonly noRetry?: boolean;
  /** `collection.name` of what in the configuration decided so, for explanations. */
  readonly object?: string;
  readonly cause?: unknown;
}

export class HeadgateError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: string;
  readonly param: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly noRetry: boolean;
  readonly object: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'HeadgateError';
    this.code = code;
    this.status = errorTable[code].status;
    this.type = errorTable[code].type;
    this.param = details.param;
    this.retryAfterMs = details.retryAfterMs;
    this.noRetry = details.noRetry ?? false;
    this.object = details.object;
  }
}

/** Anything thrown, as an error a client may see. What is not ours becomes `internal_error`, the cause kept for the log. */
export function asHeadgateError(thrown: unknown): HeadgateError {
  if (thrown instanceof HeadgateError) return thrown;
  return new HeadgateError('internal_error', 'The gateway failed to handle this request.', { cause: thrown });
}
