/** What must infer and what must not compile of invariants, tags and the tests of a repository. Checked by `tsc`, never run. */
import {
  consumer,
  defineGateway,
  invariant,
  isLimited,
  model,
  needsTier,
  prompt,
  provider,
  quota,
  staysAt,
  staysWithin,
} from 'headgate';
import { test } from 'headgate/test';

const home = provider('home', { kind: 'sandbox', models: { small: { contextWindow: 8_192 } }, tags: ['eu'] });
const some = quota('some', { unit: 'requests', limit: 10, window: '1h' });
const chat = model('chat', { targets: [home.target('small')], tags: ['pii'], quotas: [some] });
const team = consumer('team', { keys: [], tags: ['pro'] });
const support = prompt('support', { system: 'Help {{customer}}.', choices: { customer: ['Ada', 'Bo'] } });

invariant('written out', ({ paths }) =>
  paths.every(({ end, entry }) => end.tags.includes('eu') || entry.sort === 'route'),
);
invariant('by paths', ({ paths }) => paths.filter(({ quotas }) => quotas.every(({ unit }) => unit !== 'requests')));
invariant('stays', staysAt({ tag: 'pii', at: [home] }));
invariant('limited', isLimited({ unit: 'requests' }));
invariant('within', staysWithin({ given: { headers: { 'x-data': 'private' }, tools: true }, tags: ['eu'] }));
invariant('of tokens', staysWithin({ given: { claims: { tier: 'gold', groups: ['shop'] } }, tags: ['eu'] }));
invariant('given', ({ given }) => given({ stream: true }).filter(({ end }) => !end.tags.includes('eu')));
invariant('tier', needsTier({ tiers: ['free', 'pro'], from: 'pro', model: chat }));

// @ts-expect-error -- a promise is judged at once
invariant('later', async ({ paths }) => Promise.resolve(paths.every(() => true)));
// @ts-expect-error -- a model is no place to stay at
invariant('stays', staysAt({ tag: 'pii', at: [chat] }));
// @ts-expect-error -- who asks is known on each path
invariant('within', staysWithin({ given: { consumer: 'team' }, tags: ['eu'] }));
// @ts-expect-error -- so is whether they have tokens
invariant('within', staysWithin({ given: { hasTokens: true }, tags: ['eu'] }));
invariant('limited in money', isLimited({ unit: 'usd' }));
// @ts-expect-error -- other currencies are not counted
invariant('limited', isLimited({ unit: 'eur' }));
// @ts-expect-error -- the tier is one of those that are listed
invariant('tier', needsTier({ tiers: ['free', 'pro'], from: 'gold', model: chat }));
// @ts-expect-error -- a path has no colour
invariant('written out', ({ paths }) => paths.every(({ colour }) => colour === 'red'));

test('typed by what the configuration exports', async ({ gateway }) => {
  const asked = await gateway.ask({ model: chat, consumer: team, messages: [{ role: 'user', content: 'Hello' }] });
  asked.isAdmitted().goesTo(home.target('small')).draws(some, 1);
  gateway.render(support, { customer: 'Ada' });
  const calls = { model: chat, consumer: team, spends: { inputTokens: 10, outputTokens: 5 }, inFlight: true };
  (await gateway.ask(calls)).draws(some, '0.05');
  // @ts-expect-error -- money is no word
  asked.draws(some, 'much');
  gateway.clock.advance('1h');
  // @ts-expect-error -- no such code
  asked.isRefused('quota_exceded');
  // @ts-expect-error -- a quota is no target
  asked.goesTo(some);
  // @ts-expect-error -- the variable is missing
  gateway.render(support, {});
  // @ts-expect-error -- an hour has a unit
  gateway.clock.advance('1');
});

void defineGateway({ name: 'types', models: [chat], consumers: [team] });
