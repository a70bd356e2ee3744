/** What limits count. A file of its own without a schema: evaluating a configuration reads it, and should read little more. */

/** Of tokens and money only calls of models make use; requests and what is in flight are counted at routes too. */
export const quotaUnits = ['requests', 'inputTokens', 'outputTokens', 'tokens', 'usd', 'concurrency'] as const;
export type QuotaUnit = (typeof quotaUnits)[number];

/** Only calls of models make use of it. */
export const isSpentByModels = (unit: QuotaUnit): boolean => unit !== 'requests' && unit !== 'concurrency';
