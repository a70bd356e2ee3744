import { consumer, defineGateway, model, provider, route, upstream } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });
const orders = upstream('orders', { url: 'https://orders.internal' });

const submit = route('submit', { path: '/orders', methods: ['POST', 'PUT'], upstream: orders, retries: 3 });

export default defineGateway({ name: 'demo', models: [echo], routes: [submit], consumers: [team] });
