import { consumer, defineGateway, model, policy, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const block = policy('block', { kind: 'blockTerms', terms: ['confidential', 'Company Confidential'] });
const chat = model('chat', { targets: [sandbox.target('echo')], policies: [block] });

export default defineGateway({ name: 'demo', models: [echo, chat], consumers: [team] });
