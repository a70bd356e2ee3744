import {
  consumer,
  contextPolicy,
  defineGateway,
  from,
  model,
  prompt,
  provider,
  quota,
  route,
  secret,
  upstream,
  weighted,
} from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, prices: { input: '1.25', output: '10' } },
    'gpt-5-mini': { contextWindow: 400_000, prices: { input: '0.25', output: '2' } },
  },
});
const house = provider('house', {
  kind: 'openai',
  baseUrl: 'https://models.acme.example/v1',
  models: { 'llama-70b': { contextWindow: 128_000 } },
});

const recentTurns = contextPolicy('recent-turns', { kind: 'quantisedCut', target: 8_000, reserveOutput: 2_000 });
const perMinute = quota('per-minute', { unit: 'requests', limit: 12, window: '1m' });
const answers = prompt('answers', {
  system: 'You answer customers of {{shop}}.',
  fixtures: { usual: { shop: 'Acme' } },
});

const assistant = model('assistant', {
  targets: [
    weighted({ weight: 40, target: openai.target('gpt-5') }, { weight: 60, target: openai.target('gpt-5-mini') }),
  ],
  prompt: answers.with({ shop: from.header('x-shop') }),
  context: recentTurns,
  quotas: [perMinute],
});
const draft = model('draft', { targets: [house.target('llama-70b')], quotas: [perMinute] });
const summary = model('summary', { targets: [house.target('llama-70b')], quotas: [perMinute] });

const stock = upstream('stock', { url: 'https://stock.acme.example', timeout: '5s' });
const items = route('items', { path: '/items', methods: ['GET'], upstream: stock, quotas: [perMinute] });

const webShop = consumer('web-shop', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'] });
const nightly = consumer('nightly', {
  keys: ['sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2'],
  models: [summary],
});
const partner = consumer('partner', {
  keys: ['sha256:c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3'],
  models: [assistant, summary],
});

export default defineGateway({
  name: 'acme',
  models: [assistant, draft, summary],
  routes: [items],
  consumers: [webShop, nightly, partner],
});
