/** Codes about who may call, how much, and what is refused: consumers, quotas and policies. */
import { error, warning } from './entry.ts';

export const accessFindings = {
  invariant_violated: error(
    'A path that a request can take breaks an invariant.',
    'change what leads there, or the invariant',
    'Somebody wrote down that this must never be; the message holds a request that shows it.',
  ),
  invariant_failed: error(
    'The function of an invariant threw, or answered with something else than true, false or paths.',
    'make it answer for every path of the graph',
    'An invariant that cannot be judged protects nobody.',
  ),
  invariant_about_nothing: warning(
    'An invariant speaks of a tag that no model, route or consumer carries.',
    'correct the tag, or give it to what it is meant for',
    'It holds on every path, so a misspelt tag protects nothing while it seems to.',
  ),
  account_unfit: error(
    'A provider cannot keep the files and batches that a consumer is to have there.',
    "give the provider files: { seal: secret('NAME') }, an API that has files, and only one consumer where it is sole",
    'The runtime refuses such a revision: without a seal, or with two sole consumers, one could read what is the other’s.',
  ),
  model_without_consumer: warning(
    'No consumer may use this model.',
    'name it in the `models` of a consumer',
    'It is served to nobody.',
  ),
  route_without_consumer: warning(
    'No consumer may use this route.',
    'name it in the `routes` of a consumer',
    'It is served to nobody.',
  ),
  no_consumers: warning(
    'The gateway has no consumers, so that nobody may call it.',
    'declare one with consumer() and list it in defineGateway',
    'Every request is refused with 401.',
  ),
  consumer_without_keys: warning(
    'A consumer has no keys and cannot call.',
    'create one with `headgate keys create` and add its hash',
    'The consumer cannot call, whatever else it is granted.',
  ),
  consumer_may_nothing: warning(
    'A consumer may use neither a model nor a route.',
    "list what it may use; without lists it may use all, unless access is 'declared'",
    'An empty list allows nothing; it does not mean "no restriction".',
  ),
  permission_above_team: warning(
    'A consumer lists a model, route or prompt that its team or organisation may not use, a team one that its organisation may not, or a key one that its consumer may not.',
    'list it there too, or remove it here',
    'What one level does not allow, nobody below it may use: the entry grants nothing.',
  ),
  prompt_withheld: warning(
    'A model is listed together with prompts, and the prompt it has is not among them.',
    'list its prompt in `prompts` too, or remove the model',
    'A model cannot be used without its prompt: the entry grants nothing.',
  ),
  organisation_twice: error(
    'A consumer has a team and an organisation besides.',
    'leave the organisation to the team',
    'Its team says where it belongs; two answers would count for two organisations.',
  ),
  quota_scope_unclear: error(
    'A quota without a scope is listed at several levels, such as by a team and by a consumer.',
    "write scope: 'team', 'organisation' or 'consumer'",
    'One count for each team is another limit than one for each consumer, and nobody could tell which is meant.',
  ),
  issuer_repeated: error(
    'Two issuers of tokens have the same url.',
    'make them one, with all audiences in its list',
    'The url tells whose a token is: there would be two answers to whether it is good.',
  ),
  token_unconditional: warning(
    'Every token of an issuer stands for a consumer.',
    "say whose: where: [claim('groups').includes('…')], or a consumerClaim of the issuer",
    'Whoever has an account there can call, and nobody can tell who did.',
  ),
  weak_key: error(
    'A consumer has the hash of a key that anybody can guess.',
    'create a key with `headgate keys create`, and revoke this one',
    'Hashes of words and test keys are looked up in seconds; the door is open.',
  ),
  placeholder_key: warning(
    'A consumer has a hash that was made up.',
    'write the hash that `headgate keys create` prints',
    'No key has this hash, so that the consumer cannot call.',
  ),
  keys_pile_up: warning(
    'A consumer has more than two keys.',
    'remove the hashes of keys that are no longer in use',
    'Two are enough to rotate. Each further one is a credential that nobody withdrew.',
  ),
  plaintext_key: error(
    'A consumer key stands in the configuration itself instead of its hash.',
    'write the hash that `headgate keys create` prints, and revoke this key',
    'Whoever reads the repository or its history can call.',
  ),
  duplicate_key: error(
    'The same key belongs to two consumers, or to one twice.',
    'give every consumer keys of its own',
    'A call with it could be either of them: quotas and audit would be wrong.',
  ),
  duplicate_certificate: error(
    'The same name of a certificate stands for two consumers.',
    'leave it with the one whose certificate carries it',
    'A call with it could be either of them: it would be refused.',
  ),
  quota_never_binds: warning(
    'A quota can never be used up, because another one that counts the same requests always ends first.',
    'remove it, or lower its limit',
    'It reads as a limit and is none.',
  ),
  quota_price_unknown: error(
    'A consumer with a quota in money may use a model of which one target has no price.',
    "write prices beside its contextWindow, with '0' where nothing is billed",
    'What that target answers would cost nothing by the count of the quota, however much it costs.',
  ),
  quota_zone_unknown: error(
    'The time zone of a calendar window is none.',
    "write a name of the time zone database, such as 'Europe/Berlin' or 'UTC'",
    'Nobody can say when its days begin; the revision would be refused.',
  ),
  quota_counts_nothing: warning(
    'A quota counts tokens or money, and nothing that draws from it spends any.',
    'attach it to models, or to consumers that may use some; for routes count requests',
    'It reads as a limit and is none.',
  ),
  quota_needs_small_answers: warning(
    'A quota is smaller than what one call of a model is taken to need, unless the client says how long the answer may be.',
    'raise the limit, write a smaller maxOutputTokens of the model, or have clients send max_tokens',
    'The most that a call can take is held before it is sent on: one that does not say how much is refused every time.',
  ),
  quota_was_alive: error(
    'A quota goes on from a count that there still is.',
    'name the quota that is gone, or the window that it had, in `was`, or leave it out',
    'What is counted under the living name would be counted here as well, once, and never again.',
  ),
  quota_downgrade_unfit: error(
    'A quota sends calls to a model that cannot stand in for the one that was asked for.',
    'name a model for the same, with a price for each target where money is counted',
    'A model for something else answers none of these calls; what has no price would cost nothing by the count.',
  ),
  quota_window_drifts: warning(
    'The window of a quota does not divide a day, or looks like a month and is none.',
    'use a window that divides a day (15m, 1h, 6h) or whole days',
    'Windows are counted from 1 January 1970: this one begins at another hour or date each time.',
  ),
  term_redundant: warning(
    'A blocked term contains another one that is blocked too.',
    'remove the longer one',
    'The shorter one blocks the same texts already, so the longer one does nothing.',
  ),
  term_untrimmed: warning(
    'A blocked term begins or ends with white space.',
    'trim it',
    'It only matches with that space around it: not at the end of a line, nor before a comma.',
  ),
  term_inside_words: warning(
    'A blocked term of up to four letters is also part of harmless words.',
    'use a longer phrase',
    'Terms match anywhere: "ass" refuses "class" and "passport".',
  ),
} as const;
