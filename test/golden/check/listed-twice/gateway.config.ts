import { consumer, defineGateway, model, policy, provider, quota } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const hourly = quota('hourly', { unit: 'requests', limit: 100, window: '1h' });
const chat = model('chat', { targets: [sandbox.target('echo')], quotas: [hourly, hourly] });
const block = policy('block', { kind: 'blockTerms', terms: ['company confidential', 'company confidential'] });
const careful = model('careful', { targets: [sandbox.target('echo')], policies: [block] });

export default defineGateway({ name: 'demo', models: [echo, chat, careful, chat], consumers: [team] });
