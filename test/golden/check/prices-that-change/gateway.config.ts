import { consumer, defineGateway, model, provider, quota, secret } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });
const monthly = quota('monthly', { unit: 'usd', limit: '100', window: '24h', scope: 'gateway' });

const house = provider('house', {
  kind: 'openai',
  baseUrl: 'https://models.example.com/v1',
  apiKey: secret('HOUSE_KEY'),
  models: {
    steady: {
      contextWindow: 131_072,
      prices: [
        { input: '1', cachedInput: '0.1', output: '4', long: [{ above: 100_000, input: '2', output: '6' }] },
        { from: '2026-07-01', input: '0.5', output: '2', search: { low: '0.005', medium: '0.01', high: '0.02' } },
      ],
    },
    // Nothing says what it costs until then.
    gap: { contextWindow: 131_072, prices: [{ from: '2026-07-01', input: '1', output: '4' }] },
    turned: {
      contextWindow: 131_072,
      prices: [
        { input: '1', output: '4', long: [{ above: 200_000, input: '2' }, { above: 100_000 }] },
        { from: '2026-07-01', input: '1', output: '4' },
        { from: '2026-06-31', input: '1', output: '4' },
      ],
    },
  },
});

// Before the day that it names, the catalogue holds.
const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-6-sol': { prices: [{ from: '2027-01-01', input: '1', output: '2' }] } },
});

const chat = model('chat', { targets: [openai.target('gpt-6-sol'), house.target('steady')], quotas: [monthly] });
const spare = model('spare', { targets: [house.target('gap'), house.target('turned')] });

export default defineGateway({ name: 'demo', models: [chat, spare], consumers: [team] });
