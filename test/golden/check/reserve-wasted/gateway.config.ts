import { consumer, contextPolicy, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const vendor = provider('vendor', {
  kind: 'sandbox',
  models: { large: { contextWindow: 128_000, maxOutputTokens: 4_096 } },
});
const tidy = contextPolicy('tidy', { kind: 'quantisedCut', target: 'window', reserveOutput: 64_000 });
const chat = model('chat', { targets: [vendor.target('large')], context: tidy });

export default defineGateway({ name: 'demo', models: [echo, chat], consumers: [team] });
