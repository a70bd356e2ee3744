import { consumer, defineGateway, model, provider, quota } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const hourly = quota('hourly', { unit: 'requests', limit: 100, window: '1h' });
const daily = quota('daily', { unit: 'requests', limit: 5_000, window: '1d' });
const everyone = quota('everyone', { unit: 'requests', limit: 5_000, window: '1d', scope: 'gateway' });
const chat = model('chat', { targets: [sandbox.target('echo')], quotas: [hourly, daily, everyone] });

export default defineGateway({ name: 'demo', models: [echo, chat], consumers: [team] });
