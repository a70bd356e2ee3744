import { consumer, contextPolicy, defineGateway, model, provider, quota } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const spare = quota('spare', { unit: 'requests', limit: 1, window: '1h' });
export const unserved = model('unserved', { targets: [sandbox.target('echo')], quotas: [spare] });
export const lonely = contextPolicy('lonely', { kind: 'quantisedCut', target: 'window' });
export default defineGateway({ name: 'demo', models: [echo], consumers: [team] });
