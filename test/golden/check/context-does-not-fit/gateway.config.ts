import { consumer, contextPolicy, defineGateway, model, ordered, provider, weighted } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const small = provider('small', { kind: 'sandbox', models: { tiny: { contextWindow: 2_000 } } });
const wide = contextPolicy('wide', { kind: 'quantisedCut', target: 7_000, reserveOutput: 2_000 });
const whole = contextPolicy('whole', { kind: 'quantisedCut', target: 'window', reserveOutput: 2_000 });
const chat = model('chat', {
  targets: [sandbox.target('echo'), ordered(small.target('tiny'))],
  context: wide,
});
const nested = model('nested', {
  targets: [weighted({ weight: 1, target: sandbox.target('echo') }, { weight: 2, target: ordered(small.target('tiny')) })],
  context: whole,
});
export default defineGateway({ name: 'demo', models: [echo, chat, nested], consumers: [team] });
