import { consumer, defineGateway, model, provider, quota, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-4.1': { prices: { input: '2', output: '8' } } },
});

const budget = quota('budget', { unit: 'usd', limit: '400.00', window: { calendar: 'month', zone: 'Europe/Berlin' }, warnAt: 0.8 });
const tokens = quota('tokens', { unit: 'tokens', limit: 2_000_000, window: { sliding: '1h' }, scope: 'gateway' });
const atOnce = quota('at-once', { unit: 'concurrency', limit: 10, scope: 'gateway' });
const spare = quota('spare', { unit: 'usd', limit: '10', window: '1d', mode: 'soft' });

const chat = model('chat', { targets: [openai.target('gpt-4.1')], quotas: [tokens, atOnce] });

const key = 'sha256:1f0e6c2d7b3a9586471c0d2e3f4a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c';
const team = consumer('team', { keys: [key], models: [chat], quotas: [budget, spare] });

export default defineGateway({ name: 'acme', models: [chat], consumers: [team] });
