import { consumer, defineGateway, quota, route, upstream } from 'headgate';

const back = upstream('back', { url: 'https://back.internal.example.com' });
const perHour = quota('per-hour', { unit: 'requests', limit: 100, window: '1h' });

const shop = route('shop', { path: '/shop/*', upstream: back });
const catalogue = route('catalogue', { path: '/catalogue/*', upstream: back });
const drafts = route('drafts', { path: '/catalogue/drafts/*', methods: ['GET'], upstream: back, quotas: [perHour] });
const statements = route('statements', { path: '/reports', upstream: back });

const office = consumer('office', {
  keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
  routes: [shop, catalogue, drafts, statements],
});
const partner = consumer('partner', {
  keys: ['sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2'],
  routes: [shop, catalogue],
});

export default defineGateway({
  name: 'acme',
  models: [],
  routes: [shop, catalogue, drafts, statements],
  consumers: [office, partner],
});
