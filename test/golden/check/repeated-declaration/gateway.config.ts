import { consumer, defineGateway, model, provider, route, upstream } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const orders = upstream('orders', { url: 'https://shop.internal', timeout: '5s' });
const bills = upstream('bills', { url: 'https://shop.internal', timeout: '5s' });
const readOrders = route('orders', { path: '/orders/*', upstream: orders });
const readBills = route('bills', { path: '/bills/*', upstream: bills });

export default defineGateway({ name: 'demo', models: [echo], routes: [readOrders, readBills], consumers: [team] });
