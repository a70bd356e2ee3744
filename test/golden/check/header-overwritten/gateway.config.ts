import { consumer, defineGateway, model, provider, route, upstream } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const orders = upstream('orders', {
  url: 'https://orders.internal',
  headers: { 'x-request-id': 'fixed' },
});
const list = route('list', { path: '/orders', upstream: orders });

export default defineGateway({ name: 'demo', models: [echo], routes: [list], consumers: [team] });
