import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const support = model('support-desk', { targets: [sandbox.target('echo')] });
const other = model('Support_Desk', { targets: [sandbox.target('echo')] });

export default defineGateway({ name: 'demo', models: [echo, support, other], consumers: [team] });
