import { consumer, contextPolicy, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const tidy = contextPolicy('tidy', { kind: 'quantisedCut', target: 'window' });
const mixed = model('mixed', {
  targets: [sandbox.target('echo')],
  quotas: [tidy],
});
const copied = model('copied', { targets: [sandbox.target('echo')], context: { ...tidy } });
export default defineGateway({ name: 'demo', models: [echo, mixed, copied], consumers: [team] });
