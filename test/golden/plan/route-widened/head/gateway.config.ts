import { consumer, defineGateway, quota, route, secret, upstream } from 'headgate';

const orders = upstream('orders', {
  url: 'https://orders.internal.example.com',
  headers: { authorization: secret('ORDERS_TOKEN') },
});
const perMinute = quota('per-minute', { unit: 'requests', limit: 300, window: '1m' });

const orderStatus = route('order-status', {
  path: '/orders/*',
  methods: ['GET', 'POST'],
  upstream: orders,
  quotas: [perMinute],
});
const refunds = upstream('refunds', { url: 'https://payments.internal.example.com', timeout: '10s' });
const refund = route('refund', { path: '/refunds', upstream: refunds });

const webShop = consumer('web-shop', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'] });
const partner = consumer('partner', { keys: ['sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2'], routes: [orderStatus] });

export default defineGateway({ name: 'acme', models: [], routes: [orderStatus, refund], consumers: [webShop, partner] });
