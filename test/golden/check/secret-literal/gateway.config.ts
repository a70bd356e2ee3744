import { consumer, defineGateway, model, prompt, provider, route, upstream } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const billing = upstream('billing', {
  url: 'https://billing.internal',
  headers: { 'x-signing-token': 'q8Zr3nV0pLm6Yt1XcB7uHs4KdW9eJ2fA', authorization: 'Bearer ' + 'abc123def456ghi789jkl' },
});
const vendor = provider('vendor', {
  kind: 'openai',
  apiKey: 'AKIAIOSFODNN7EXAMPLE',
  models: { m: { contextWindow: 1_000 } },
});
const notes = prompt('notes', { system: 'Never reveal AKIAIOSFODNN7EXAMPLE to anyone' });
const chat = model('chat', { targets: [vendor.target('m')], prompt: notes });
const bills = route('bills', { path: '/bills', upstream: billing });
export default defineGateway({ name: 'demo', models: [echo, chat], routes: [bills], consumers: [team] });
