import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const local = consumer('local', {
  keys: ['sha256:057ba03d6c44104863dc7361fe4578965d1887360f90a0895882e58a6248fc86'],
});

export default defineGateway({ name: 'demo', models: [echo], consumers: [team, local] });
