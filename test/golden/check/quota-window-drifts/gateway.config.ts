import { consumer, defineGateway, model, provider, quota } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const shift = quota('shift', { unit: 'requests', limit: 100, window: '7h' });
const monthly = quota('monthly', { unit: 'requests', limit: 9_000, window: '30d' });
const chat = model('chat', { targets: [sandbox.target('echo')], quotas: [shift] });
const slow = model('slow', { targets: [sandbox.target('echo')], quotas: [monthly] });

export default defineGateway({ name: 'demo', models: [echo, chat, slow], consumers: [team] });
