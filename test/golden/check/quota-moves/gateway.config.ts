import { consumer, defineGateway, model, provider, quota } from 'headgate';

const box = provider('box', {
  kind: 'sandbox',
  models: {
    big: { contextWindow: 8_000, prices: { input: '1', output: '2' } },
    free: { contextWindow: 8_000 },
    vectors: { kind: 'embedding', contextWindow: 8_000, prices: { input: '1', output: '2' } },
  },
});

const vectors = model('vectors', { targets: [box.target('vectors')] });
const free = model('free', { targets: [box.target('free')] });

const month = quota('month', { unit: 'usd', limit: '250.00', window: { calendar: 'month' }, downgrade: { at: 0.8, to: free } });
const day = quota('day', { unit: 'requests', limit: 900, window: '1d', was: 'month', downgrade: { at: 0.5, to: vectors } });
const own = quota('own', { unit: 'requests', limit: 100, window: '1h', was: 'own' });
const gone = quota('gone', { unit: 'tokens', limit: 1_000_000, window: '1h', was: 'before', slack: 0.01, scope: ['consumer', 'endUser'] });

const chat = model('chat', { targets: [box.target('big')], quotas: [month, day, own, gone] });

const team = consumer('team', {
  keys: ['sha256:5ad1e6b0a3f4b8f5a1c0f1b6f9f0b1d1c8b8b0e8f5a3a1e2d4c6b8a09f7e5d3c'],
});

export default defineGateway({ name: 'shop', models: [chat, free, vectors], consumers: [team] });
