import { consumer, contextPolicy, defineGateway, model, prompt, provider, quota, route, upstream } from 'headgate';
import { hourly } from './limits.ts';

const started = Date.now();
const sandbox = provider('sandbox', {
  kind: 'sandbox',
  models: { echo: { contextWindow: 8_192, latency: '40ms' } },
});
const tidy = contextPolicy('tidy', { kind: 'quantisedCut', target: 8_000, reserveOutput: 1_024 });
const support = prompt('support', { system: 'You help {{customer}}.', fixtures: { usual: { customer: 'Ada' } } });
const spare = quota('spare', { unit: 'requests', limit: 10, window: '1h' });

const assistant = model('assistant', {
  targets: [sandbox.target('ecko')],
  prompt: support.with({ customer: 'Ada', tone: 'kind' }),
  quotas: [hourly],
});
const careful = model('careful', {
  targets: [sandbox.target('echo')],
  context: tidy,
});

const orders = upstream('orders', { url: 'https://orders.internal', headers: { 'x-api-key': 'AKIAIOSFODNN7EXAMPLE' } });
const read = route('read', { path: '/orders/*', upstream: orders });
const again = route('again', { path: '/orders/*', upstream: orders });

const team = consumer('team', {
  keys: ['let-me-in'],
});

export default defineGateway({ name: 'demo', models: [assistant, careful], routes: [read, again], consumers: [team] });
void [started, spare];
