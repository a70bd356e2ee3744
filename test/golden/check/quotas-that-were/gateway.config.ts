import { consumer, defineGateway, model, provider, quota } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });

const quotas = [
  quota('good', { unit: 'tokens', limit: 40_000, window: '1h', mode: 'soft', was: { window: { sliding: '2h' } } }),
  quota('named', { unit: 'tokens', limit: 41_000, window: '1h', mode: 'soft', was: { name: 'gone', window: '1d' } }),
  quota('unit', { unit: 'tokens', limit: 42_000, window: '1h', mode: 'soft', was: { unit: 'requests', window: '1d' } }),
  quota('endless', { unit: 'tokens', limit: 43_000, window: '1h', mode: 'soft', was: { name: 'gone' } }),
  quota('long', { unit: 'tokens', limit: 44_000, window: '1h', mode: 'soft', was: { window: '400d' } }),
  quota('zone', { unit: 'tokens', limit: 45_000, window: '1h', mode: 'soft', was: { window: { calendar: 'day', zone: 'Europe/Berlim' } } }),
  quota('same', { unit: 'tokens', limit: 46_000, window: '1h', mode: 'soft', was: { name: 'same', window: '60m' } }),
  quota('alive', { unit: 'tokens', limit: 47_000, window: '1h', mode: 'soft', was: { name: 'good', window: '1d' } }),
  quota('flying', { unit: 'concurrency', limit: 4, was: { window: '1h' } }),
];

const chat = model('chat', { targets: [sandbox.target('echo')], quotas });
const key = 'sha256:1f0e6c2d7b3a9586471c0d2e3f4a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c';

export default defineGateway({ name: 'demo', models: [chat], consumers: [consumer('web', { keys: [key] })] });
