import { consumer, defineGateway, model, provider, route, upstream } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const orders = upstream('orders', { url: 'https://orders.internal' });

const read = route('read', { path: '/orders/*', upstream: orders });
const write = route('write', { path: '/bills/*', upstream: orders });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'], routes: [read] });

export default defineGateway({ name: 'demo', models: [echo], routes: [read, write], consumers: [team] });
