import { consumer, defineGateway, quota, route, upstream } from 'headgate';

const back = upstream('back', { url: 'https://back.internal.example.com' });
const perHour = quota('per-hour', { unit: 'requests', limit: 100, window: '1h' });
const exports = quota('exports', { unit: 'requests', limit: 5, window: '1h' });

const shop = route('shop', { path: '/shop/*', upstream: back });
const admin = route('admin', { path: '/shop/admin/*', upstream: back, quotas: [perHour] });
const catalogue = route('catalogue', { path: '/catalogue/*', upstream: back });
const reports = route('reports', { path: '/reports', upstream: back, quotas: [exports] });
const legacy = route('legacy', { path: '/legacy', upstream: back });

const office = consumer('office', {
  keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
  routes: [shop, admin, catalogue, reports, legacy],
});
const partner = consumer('partner', {
  keys: ['sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2'],
  routes: [shop, catalogue],
});

export default defineGateway({
  name: 'acme',
  models: [],
  routes: [shop, admin, catalogue, reports, legacy],
  consumers: [office, partner],
});
