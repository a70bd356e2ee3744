import { consumer, defineGateway, model, provider, quota, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-4.1': { prices: { input: '2', output: '8' } }, 'gpt-4.1-mini': { prices: { input: '0.4', output: '1.6' } } },
});

const cheap = model('cheap', { targets: [openai.target('gpt-4.1-mini')] });

const money = quota('money', {
  unit: 'usd',
  limit: '400.00',
  window: { calendar: 'month' },
  was: 'budget',
  downgrade: { at: 0.8, to: cheap },
});
const input = quota('input', { unit: 'tokens', limit: 1_500_000, window: '1h', scope: 'gateway', was: 'tokens' });
const output = quota('output', { unit: 'tokens', limit: 500_000, window: '1h', scope: 'gateway', was: 'tokens' });
const calls = quota('calls', { unit: 'requests', limit: 900, window: '1d', scope: ['consumer', 'endUser'], slack: 0.05 });

const chat = model('chat', { targets: [openai.target('gpt-4.1')], quotas: [money, input, output, calls] });

const key = 'sha256:1f0e6c2d7b3a9586471c0d2e3f4a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c';
const team = consumer('team', { keys: [key], models: [chat, cheap] });

export default defineGateway({ name: 'acme', models: [chat, cheap], consumers: [team] });
