import { consumer, defineGateway, model, provider, route, upstream } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const orders = upstream('orders', { url: 'https://orders.internal' });
const list = route('list', { path: '/orders/*', upstream: orders });
const write = route('write', {
  methods: ['POST'],
  path: '/orders/*',
  upstream: orders,
});
const odd = route('odd', { path: '/a/../b/*', upstream: orders });
const strip = route('strip', { path: '/bills/*', upstream: orders, stripPrefix: '/bill' });
const elsewhere = route('elsewhere', { path: '/orders/*', host: 'b.example.com', upstream: orders, stripPrefix: '/orders' });
export default defineGateway({ name: 'demo', models: [echo], routes: [list, write, odd, strip, elsewhere], consumers: [team] });
