import { consumer, defineGateway, model, provider, quota } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });

const quotas = [
  quota('windowed', { unit: 'concurrency', limit: 4, window: '1h' }),
  quota('float', { unit: 'usd', limit: 12.5, window: '1h' }),
  quota('worded', { unit: 'usd', limit: '12,50', window: '1h' }),
  quota('large', { unit: 'usd', limit: '2000000', window: '1h' }),
  quota('endless', { unit: 'tokens', limit: 4_000 }),
  quota('quarterly', { unit: 'tokens', limit: 4_000, window: { calendar: 'quarter' } }),
  quota('unit', { unit: 'euro', limit: 4_000, window: '1h' }),
  quota('share', { unit: 'requests', limit: 4_000, window: '1h', warnAt: 80 }),
  quota('outage', { unit: 'requests', limit: 4_000, window: '1h', onStoreDown: 'close' }),
  quota('shares', { unit: 'concurrency', limit: 3, onStoreDown: { local: { replicas: 4 } } }),
];

const chat = model('chat', { targets: [sandbox.target('echo')], quotas });
const key = 'sha256:1f0e6c2d7b3a9586471c0d2e3f4a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c';

export default defineGateway({ name: 'demo', models: [chat], consumers: [consumer('web', { keys: [key] })] });
