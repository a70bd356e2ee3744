import { consumer, defineGateway, model, ordered, provider, weighted } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 }, spare: { contextWindow: 8_192 }, last: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo'), sandbox.target('spare')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const alone = model('alone', { targets: [weighted({ weight: 10, target: sandbox.target('echo') })] });
const nested = model('nested', { targets: [ordered(sandbox.target('echo'), sandbox.target('spare')), sandbox.target('last')] });

export default defineGateway({ name: 'demo', models: [echo, alone, nested], consumers: [team] });
