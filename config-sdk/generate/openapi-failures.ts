/** Which of the gateway's errors an operation can answer with, as OpenAPI responses grouped by status. */
import { errorTable, type ErrorCode } from '@headgate/runtime/errors';

/** What of a configuration decides which errors there can be. */
export interface Traits {
  readonly isModelCall: boolean;
  readonly hasQuotas: boolean;
  readonly hasPolicies: boolean;
  /** A model refuses what cannot be carried. */
  readonly isStrict: boolean;
  /** A prompt takes a value from the request that has no default. */
  readonly needsValues: boolean;
  readonly isNarrowed: boolean;
  /** A consumer may use some prompts only. */
  readonly isNarrowedByPrompts: boolean;
}

/** Also those of files and batches: their requests are not described. */
const never: readonly ErrorCode[] = [
  'client_closed_request',
  'route_not_found',
  'method_not_allowed',
  'files_not_allowed',
  'list_not_allowed',
  'object_not_found',
];

const onlyIf: Readonly<Partial<Record<ErrorCode, (traits: Traits) => boolean>>> = {
  invalid_json: ({ isModelCall }) => isModelCall,
  prompt_variable_missing: ({ needsValues }) => needsValues,
  context_length_exceeded: ({ isModelCall }) => isModelCall,
  operation_not_supported: ({ isModelCall }) => isModelCall,
  not_carried: ({ isStrict }) => isStrict,
  upstream_rejected_request: ({ isModelCall }) => isModelCall,
  model_not_allowed: ({ isModelCall, isNarrowed }) => isModelCall && isNarrowed,
  prompt_not_allowed: ({ isModelCall, isNarrowedByPrompts }) => isModelCall && isNarrowedByPrompts,
  route_not_allowed: ({ isModelCall, isNarrowed }) => !isModelCall && isNarrowed,
  model_not_found: ({ isModelCall }) => isModelCall,
  request_timeout: ({ isModelCall }) => isModelCall,
  blocked_by_policy: ({ hasPolicies }) => hasPolicies,
  quota_exceeded: ({ hasQuotas }) => hasQuotas,
  quota_store_unavailable: ({ hasQuotas }) => hasQuotas,
  upstream_busy: ({ isModelCall }) => isModelCall,
  upstream_rate_limited: ({ isModelCall }) => isModelCall,
  upstream_credential_refused: ({ isModelCall }) => isModelCall,
  upstream_model_unknown: ({ isModelCall }) => isModelCall,
  upstream_broken_answer: ({ isModelCall }) => isModelCall,
  upstream_content_refused: ({ isModelCall }) => isModelCall,
};

const codes = Object.keys(errorTable) as ErrorCode[];

export const codesFor = (traits: Traits): ErrorCode[] =>
  codes.filter((code) => !never.includes(code) && (onlyIf[code]?.(traits) ?? true)).sort();

const header = (name: string) => ({ $ref: `#/components/headers/${name}` });

/** By status. `content` is the envelope that the API words its errors in. */
export function failures(possible: readonly ErrorCode[], content: object): Record<string, object> {
  const byStatus = Map.groupBy(possible, (code) => errorTable[code].status);
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, same]) => [
        String(status),
        {
          description: same.map((code) => `\`${code}\`: ${errorTable[code].meaning}`).join('\n\n'),
          headers: {
            'x-request-id': header('x-request-id'),
            'headgate-revision': header('headgate-revision'),
            ...((status === 429 || status === 503) && { 'retry-after': header('retry-after') }),
          },
          content,
        },
      ]),
  );
}
