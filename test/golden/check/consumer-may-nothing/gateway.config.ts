import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const partner = consumer('partner', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000002'], models: [], routes: [] });

export default defineGateway({ name: 'demo', models: [echo], consumers: [team, partner] });
