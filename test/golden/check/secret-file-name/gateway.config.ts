import { consumer, defineGateway, model, provider, route, secret, upstream } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const billing = upstream('billing', {
  url: 'https://billing.internal',
  headers: { authorization: secret('BILLING_TOKEN_FILE') },
});
const bills = route('bills', { path: '/bills', upstream: billing });

export default defineGateway({ name: 'demo', models: [echo], routes: [bills], consumers: [team] });
