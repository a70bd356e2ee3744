import { consumer, defineGateway, model, provider, weighted } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 }, spare: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo'), sandbox.target('spare')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const trial = model('trial', {
  targets: [weighted({ weight: 100_000, target: sandbox.target('echo') }, { weight: 1, target: sandbox.target('spare') })],
});

export default defineGateway({ name: 'demo', models: [echo, trial], consumers: [team] });
