import { consumer, defineGateway, model, prompt, provider, quota, route, secret, upstream, weighted } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, maxOutputTokens: 128_000, prices: { input: '1.25', output: '10' } },
    'gpt-5-mini': { contextWindow: 400_000, maxOutputTokens: 128_000, prices: { input: '0.25', output: '2' } },
  },
});

const perMinute = quota('per-minute', { unit: 'requests', limit: 60, window: '1m' });

const support = prompt('support', {
  system: 'You answer questions of {{customer}}, briefly. When you do not know, say so and name a colleague.',
  fixtures: { usual: { customer: 'Ada' } },
});

const chat = model('chat', {
  targets: [weighted(
    { target: openai.target('gpt-5'), weight: 1 },
    { target: openai.target('gpt-5-mini'), weight: 9 },
  )],
  prompt: support.with({ customer: 'Ada' }),
  quotas: [perMinute],
});

const shop = upstream('shop', { url: 'https://shop.internal.example.com' });
const orders = route('orders', { path: '/orders/*', methods: ['GET'], upstream: shop, quotas: [perMinute] });

const webShop = consumer('web-shop', {
  keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
  models: [chat],
  routes: [orders],
});

export default defineGateway({ name: 'acme', models: [chat], routes: [orders], consumers: [webShop] });
