import { consumer, defineGateway, quota, route, upstream } from 'headgate';

const back = upstream('back', { url: 'https://back.internal.example.com' });
const perHour = quota('per-hour', { unit: 'requests', limit: 100, window: '1h' });

const shop = route('shop', { path: '/shop/*', upstream: back });
const admin = route('admin', { path: '/shop/admin/*', upstream: back, quotas: [perHour] });
const reports = route('reports', { path: '/reports/*', upstream: back, quotas: [perHour] });
const health = route('health', { path: '/health', methods: ['GET'], upstream: back });

const office = consumer('office', {
  keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
  routes: [shop, admin, reports, health],
});
const partner = consumer('partner', {
  keys: ['sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2'],
  routes: [shop],
});

export default defineGateway({ name: 'acme', models: [], routes: [shop, admin, reports, health], consumers: [office, partner] });
