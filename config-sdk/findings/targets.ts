/** Codes about providers, models, groups of targets and what fits into their windows. */
import { error, warning } from './entry.ts';

export const targetFindings = {
  provider_without_key: warning(
    'A provider on a public host has no apiKey.',
    "set apiKey: secret('NAME')",
    'Public model APIs refuse requests without a key, so that its targets only cost time before the next one.',
  ),
  same_account: warning(
    'Two providers are the same account at the same address.',
    'declare one of them with the models of both',
    'As a fallback for each other they fail together, and their rate limits are one.',
  ),
  base_url_path: warning(
    'The base URL of a provider has the path of the endpoint in it, or lacks the part that the vendor wants.',
    "give the URL as SDKs take it: the endpoint's own path is added",
    'Every request goes to a path that does not exist and is answered with 404.',
  ),
  insecure_http_unneeded: warning(
    'A provider allows plain http:// although its address does not need that.',
    'remove allowInsecureHttp',
    'The next edit of the address may send keys in the clear without anybody being asked.',
  ),
  provider_model_unused: warning(
    'A provider declares a model that no target uses.',
    'use it in a target, or remove it',
    'The list reads as what this account is used for; what is left over misleads cost and access reviews.',
  ),
  output_exceeds_window: warning(
    'maxOutputTokens of a model is not smaller than its contextWindow.',
    'check the two numbers: the window holds input and output together',
    'Most often the two were exchanged. Conversations would then be cut to the wrong size.',
  ),
  // No error: a revert at night must not wait for a new model to be chosen, and fallbacks may still answer.
  model_retired: warning(
    'A target uses a model that its vendor has retired, by the catalogue and on its day.',
    'use a model that the vendor still serves',
    'The vendor answers as if it had never heard of it; all that is left are the fallbacks.',
  ),
  model_deprecated: warning(
    'A target uses a model whose vendor has named the day on which it ends.',
    'try its successor before that day',
    'From that day on the vendor refuses it, without a commit to blame or to revert.',
  ),
  model_unknown: warning(
    "A target uses a model that the catalogue does not know, at the vendor's own endpoint.",
    'check its spelling; of a model that is newer, or of this account only, write the prices, and accept this',
    'A misspelt id is refused by the vendor, request by request, while everything before it was fine.',
  ),
  model_without_price: warning(
    'A target uses a model whose price neither the configuration nor the catalogue has.',
    "write prices beside its contextWindow, with '0' where nothing is billed",
    'A plan cannot say what a change costs, and recorded traffic adds up to less than it did.',
  ),
  target_unfit: error(
    'A target, a fallback or a member of a group cannot do what its model, its context policy or its quotas ask for.',
    'take another target, ask for less, or write what the model can do beside its contextWindow',
    'The request would fail at the vendor, and most likely when the fallback is needed most.',
  ),
  weight_missing: error(
    'A member of a group has no weight where weights decide.',
    'give every member a weight',
    'No share can be computed.',
  ),
  weight_refused: error(
    'A member of a group has a weight where weights mean nothing.',
    'remove the weight or use weighted()',
    'The reader would expect a share that is never drawn.',
  ),
  weight_negligible: warning(
    'A member of a weighted group gets less than one request in a thousand.',
    'raise its weight, or make it a fallback: put it after the group',
    'An experiment that small shows nothing. Weights are shares, not per cent, and need not add up to anything.',
  ),
  weights_conflict: warning(
    'The same target has two weights in one weighted group.',
    'give it one weight, or name another model in one of the two',
    'Its share is the sum of both, and the group has one fallback less than it seems.',
  ),
  group_without_effect: warning(
    'A group of one member, or an ordered group inside an ordered one, changes nothing.',
    'put its members where the group stands',
    'A weight of 10 on a single member reads as ten per cent, and is all of the traffic.',
  ),
  target_repeated: warning(
    'A model has the same target twice.',
    'set retries on the target to try it again, or name another fallback',
    'A target that failed is asked once more under the same load, and the client waits twice.',
  ),
  fallback_same_provider: warning(
    'All targets of a model are at one provider.',
    'add a target at another provider',
    'One outage, revoked key or unpaid bill takes the fallbacks along.',
  ),
  stand_in_target: warning(
    'A model mixes targets at a vendor with one that answers in process.',
    'take the stand-in out of what clients use',
    'When the vendor fails, or by a share of the weights, clients get a made-up answer with status 200.',
  ),
  condition_unknown_consumer: error(
    'A condition names a consumer that is not declared.',
    'use the name of a consumer of this configuration',
    'The condition never holds, and its targets serve nobody.',
  ),
  condition_unknown_tag: error(
    'A condition names a tag that no consumer carries.',
    'use a tag of a consumer of this configuration',
    'The condition never holds, and its targets serve nobody.',
  ),
  condition_without_tokens: warning(
    'A condition asks for claims, and no consumer takes tokens.',
    'give a consumer jwt: [{ issuer, … }], or leave the condition out',
    'Who comes with a key has no claims: the condition never holds, and its targets serve nobody.',
  ),
  narrowed_to_nothing: error(
    'A group, or a policy of a model, keeps calls to tags that no provider of the targets carries.',
    'write the tags on the providers that are meant, or correct them here',
    'Whoever is held to them is refused with 503, on every request.',
  ),
  targets_all_conditional: warning(
    'Every target of a model stands under a condition.',
    'add a target without a condition behind them; accept this where other requests are to be refused',
    'A request that meets none of the conditions is refused with 503, however healthy the vendors are.',
  ),
  targets_all_optional: warning(
    'Every target of a model waits for an optional secret.',
    'make one of the secrets required',
    'Where none of them is set the revision is accepted all the same, and clients get a 503.',
  ),
  timeouts_outlast_client: warning(
    "The timeouts of a model's targets add up to more than ten minutes.",
    'shorten the timeouts',
    'The OpenAI and Anthropic SDKs give up after ten minutes; the last targets would answer nobody.',
  ),
  targets_beyond_deadline: warning(
    'The timeouts of the first targets of a model add up to its deadline.',
    'shorten their timeouts, or raise the deadline',
    'When they hang, which is what fallbacks are for, the time is over before the next one is asked.',
  ),
  timeout_too_short: warning(
    'A timeout is shorter than a service needs for any answer.',
    'check the unit: ms is a thousandth of s',
    'Every attempt runs into it, and the fallback serves everything.',
  ),
  model_name_misleads: warning(
    "A model has the name of a vendor's model that is not among its targets.",
    'name it after what it is for, or target the model of that name',
    'Clients read one model in their code and are served, and billed, another.',
  ),
  context_does_not_fit: error(
    'A context policy leaves no room in the window of one of the targets.',
    'lower target or reserveOutput, or use a model with a larger window',
    'Conversations that the policy lets through are refused by that target.',
  ),
  prompt_too_long: error(
    'The fixed text of a prompt is longer than the room for input of one of the targets.',
    'shorten the prompt, or use a model with a larger window',
    'Not even an empty conversation fits behind it: every request is refused.',
  ),
  reserve_wasted: warning(
    'A context policy reserves more output than any target of the model can give.',
    'lower reserveOutput to the largest maxOutputTokens',
    'History is cut to make room for an answer that cannot come.',
  ),
  window_wasted: warning(
    'One small target makes a context policy cut conversations to less than a quarter of what the largest one takes.',
    'use targets with similar windows, or set target to a number of tokens',
    'The smallest window counts for every request, also when the fallback is never used.',
  ),
} as const;
