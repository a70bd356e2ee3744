import { consumer, defineGateway, model, provider, route, secret, upstream } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-6-sol': { contextWindow: 400_000 } },
});
const anthropic = provider('anthropic', {
  kind: 'anthropic',
  apiKey: secret('ANTHROPIC_API_KEY'),
  models: { 'claude-opus-5-5': { contextWindow: 200_000 } },
});
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const chat = model('chat', { targets: [openai.target('gpt-6-sol', { timeout: '30ms' }), anthropic.target('claude-opus-5-5')] });
const orders = upstream('orders', { url: 'https://orders.internal', timeout: '5ms' });
const read = route('read', { path: '/orders/*', upstream: orders });

export default defineGateway({ name: 'demo', models: [chat], routes: [read], consumers: [team] });
