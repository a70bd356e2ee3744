import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const vendor = provider('vendor', {
  kind: 'sandbox',
  models: { large: { contextWindow: 200_000 }, small: { contextWindow: 8_192 } },
});
const chat = model('chat', { targets: [vendor.target('large')] });

export default defineGateway({ name: 'demo', models: [echo, chat], consumers: [team] });
