import { consumer, defineGateway, model, provider, quota, route, upstream } from 'headgate';

const house = provider('house', {
  kind: 'openai',
  baseUrl: 'http://models.internal:8000/v1',
  models: {
    priced: { contextWindow: 131_072, maxOutputTokens: 32_000, prices: { input: '1', output: '4' } },
    unstated: { contextWindow: 131_072, prices: { input: '1', output: '4' } },
    unpriced: { contextWindow: 131_072 },
  },
});

const budget = quota('budget', { unit: 'usd', limit: '250.00', window: { calendar: 'month', zone: 'Europe/Berlin' } });
const team = quota('team', { unit: 'usd', limit: '50', window: { calendar: 'week' } });
const pocket = quota('pocket', { unit: 'usd', limit: '0.01', window: '1d' });
const perMinute = quota('per-minute', { unit: 'outputTokens', limit: 30_000, window: { sliding: '1m' } });
const narrow = quota('narrow', { unit: 'tokens', limit: 4_000, window: '1m' });
const fine = quota('fine', { unit: 'tokens', limit: 64_000, window: '1m', mode: 'soft' });
const together = quota('together', { unit: 'tokens', limit: 100_000, window: '1h' });
const inputs = quota('inputs', { unit: 'inputTokens', limit: 100_000, window: '1h' });
const zone = quota('zone', { unit: 'requests', limit: 100, window: { calendar: 'day', zone: 'Europe/Berlim' } });
const forRoutes = quota('for-routes', { unit: 'usd', limit: '5', window: '1d' });

const orders = upstream('orders', { url: 'http://orders.internal' });
const list = route('list', { path: '/orders/*', upstream: orders, quotas: [forRoutes] });

const chat = model('chat', { targets: [house.target('priced')], quotas: [perMinute, pocket, zone] });
const mixed = model('mixed', { targets: [house.target('priced'), house.target('unpriced')], quotas: [budget] });
const plain = model('plain', { targets: [house.target('unstated')], quotas: [narrow, fine, together, inputs] });
const open = model('open', { targets: [house.target('unpriced')] });

const key = 'sha256:1f0e6c2d7b3a9586471c0d2e3f4a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c';
const web = consumer('web', { keys: [key], quotas: [team] });

export default defineGateway({ name: 'demo', models: [chat, mixed, plain, open], routes: [list], consumers: [web] });
