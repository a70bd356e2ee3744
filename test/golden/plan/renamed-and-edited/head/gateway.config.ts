import { consumer, defineGateway, model, prompt, provider, quota, route, secret, upstream, weighted } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, maxOutputTokens: 128_000, prices: { input: '1.25', output: '10' } },
    'gpt-5-mini': { contextWindow: 400_000, maxOutputTokens: 128_000, prices: { input: '0.25', output: '2' } },
  },
});

const perMinute = quota('requests-per-minute', { unit: 'requests', limit: 600, window: '1m' });

const support = prompt('support-desk', {
  system: 'You answer questions of {{customer}}, briefly. When you do not know, say so, and name a colleague who does.',
  fixtures: { usual: { customer: 'Ada' } },
});

const chat = model('assistant', {
  targets: [weighted(
    { target: openai.target('gpt-5'), weight: 9 },
    { target: openai.target('gpt-5-mini'), weight: 1 },
  )],
  prompt: support.with({ customer: 'Ada' }),
  quotas: [perMinute],
});

const shop = upstream('shop', { url: 'https://shop.internal.example.com' });
const orders = route('order-list', { path: '/orders/*', methods: ['GET', 'POST'], upstream: shop, quotas: [perMinute] });

const webShop = consumer('shop-front', {
  keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
  models: [chat],
  routes: [orders],
  quotas: [perMinute],
});

export default defineGateway({ name: 'acme', models: [chat], routes: [orders], consumers: [webShop] });
