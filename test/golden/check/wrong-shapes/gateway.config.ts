import { claim, consumer, defineGateway, issuer, model, provider, quota } from 'headgate';

/** What the compiler lets pass is refused all the same. */
const untyped = (value: unknown): never => value as never;

const usual = { contextWindow: 8_192 };
const both = { input: '1', output: '2' } as const;
const house = provider('house', {
  kind: 'sandbox',
  models: {
    text: { ...usual, prices: '1.25' },
    half: { ...usual, prices: { input: '1.25' } },
    spelled: { ...usual, prices: { inptu: '1', output: '2' } },
    other: { ...usual, prices: { input: '1', output: '2', storage: '3' } },
    tier: { ...usual, prices: { ...both, long: { above: 1_000, input: '2' } } },
    nothing: { ...usual, prices: null },
    fine: { ...usual, prices: [both, { ...both, from: '2027-01-01' }] },
  },
});
const loose = provider('loose', {
  kind: 'sandbox',
  models: {
    text: { ...usual, prices: untyped('1.25') },
    number: { ...usual, prices: untyped({ input: 1.25, output: '2' }) },
    half: { ...usual, prices: untyped([both, { from: '2027-01-01', input: '1' }]) },
    tier: { ...usual, prices: untyped({ ...both, long: { above: 1_000, input: '2' } }) },
    depths: { ...usual, prices: untyped({ ...both, search: 3 }) },
    soon: { ...usual, prices: untyped([both, { ...both, from: 'soon' }]) },
  },
});
const one = issuer('one', { url: 'https://one.example', audience: 'headgate' });
const typed = issuer('typed', { url: 'https://typed.example', audience: 7, consumerClaim: 'sub' });
const untypedIssuer = issuer('untyped', { url: 'https://untyped.example', audience: untyped(7) });
const where = [claim('groups').includes('app')];

const huge = quota('huge', { unit: 'requests', limit: 1e300, window: '1h' });
const broken = quota('broken', { unit: 'tokens', limit: 0.5, window: '1h' });
const none = quota('none', { unit: 'requests', limit: 0, window: '1h' });
const open = quota('open', { unit: 'concurrency', limit: 1e9 });
const rich = quota('rich', { unit: 'usd', limit: '99999999', window: '1h' });
const free = quota('free', { unit: 'usd', limit: '0', window: '1h' });

const targets = [house.target('fine')] as const;
const chat = model('chat', { targets, quotas: [huge, broken, none, open, rich, free] });
const single = model('single', { targets: house.target('fine'), quotas: huge });

export default defineGateway({
  name: 'acme',
  models: chat,
  consumers: [
    consumer('app', { models: [chat, single], jwt: [one, typed, untypedIssuer].map((each) => ({ issuer: each, where })) }),
    consumer('desk', { models: chat, tags: 'desk', jwt: { issuer: one, where } }),
  ],
});
