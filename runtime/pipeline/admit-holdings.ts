/** All that is decided about a request for files or batches before their vendor is asked: the same live and in explanations. */
import { HeadgateError } from '../errors.ts';
import type { AccountKnown, HoldingsExchange, Identified, Reserved } from '../exchange.ts';
import { whoMayNot } from './bound-key.ts';
import { identify } from './identify.ts';
import { longestRouteMs, reserve } from './reserve.ts';

/** The account that keeps what this consumer has of this API. */
function accountKnown(exchange: Identified<HoldingsExchange>): AccountKnown {
  const { consumer, asked } = exchange;
  const object = `consumers.${consumer.name}`;
  const inRotation = consumer.accounts.flatMap((account) =>
    account.live && account.seal ? [{ account, connection: account.live.connection, seal: account.seal }] : [],
  );
  const found = inRotation.find(({ connection }) => connection.holdings?.holdings.name === asked.holdings.name);
  if (!found && inRotation.length < consumer.accounts.length)
    throw new HeadgateError(
      'no_target_available',
      'The account for this is out of rotation: a secret it needs is absent.',
    );
  if (!found) {
    const { who, isKey } = whoMayNot(exchange, ({ hasFiles }) => hasFiles);
    const cause = isKey
      ? 'one that is bound to some models, routes or prompts opens no files. Ask with another key'
      : 'its files name none that speaks this API';
    throw new HeadgateError('files_not_allowed', `${who} has no account for this: ${cause}.`, { object });
  }
  const { account, connection, seal } = found;
  const { holdings } = connection;
  if (!holdings) throw new TypeError('an account that was chosen by its holdings has some');
  if (asked.request.isList === true && !account.isSole)
    throw new HeadgateError(
      'list_not_allowed',
      `The list is of all that the account has, and '${account.name}' is not this consumer's alone. Keep the ids that you are given.`,
      { object: `providers.${account.name}` },
    );
  return Object.assign(exchange, {
    account,
    place: holdings,
    seal,
  });
}

export async function admitHoldings(exchange: HoldingsExchange): Promise<Reserved<AccountKnown>> {
  exchange.outcome.matched = 'files';
  const identified = identify(exchange); // who is asking?               401
  const known = accountKnown(identified); // whose account? listed?      403, 503
  known.outcome.matched = `files:${known.account.name}`;
  known.outcome.order.push(`${known.account.name}/files`);
  return reserve(known, { quotas: [], longestMs: longestRouteMs }); // the consumer's quotas 429, 503
}
