import {
  consumer,
  defineGateway,
  invariant,
  isLimited,
  model,
  needsTier,
  provider,
  quota,
  route,
  staysAt,
  upstream,
  weighted,
} from 'headgate';

const home = provider('home', { kind: 'sandbox', models: { small: { contextWindow: 8_192 } }, tags: ['eu'] });
const away = provider('away', { kind: 'sandbox', models: { big: { contextWindow: 8_192 } } });
const some = quota('some', { unit: 'requests', limit: 10, window: '1h' });

const records = model('records', { targets: [home.target('small'), away.target('big')], tags: ['pii'], quotas: [some] });
const trial = model('trial', {
  targets: [weighted({ weight: 9, target: home.target('small') }, { weight: 1, target: away.target('big') })],
});
const back = upstream('back', { url: 'https://back.example.com' });
const orders = route('orders', { path: '/orders/*', methods: ['POST'], upstream: back, tags: ['pii'] });

const gold = consumer('gold', {
  keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'],
  tags: ['pro'],
  quotas: [some],
});
const guest = consumer('guest', {
  keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000002'],
  tags: ['free'],
});

invariant('pii stays home', staysAt({ tag: 'pii', at: [home] }));
invariant('pii stays home and at the back', staysAt({ tag: 'pii', at: [home, back] }));
invariant('every path has a limit', isLimited({ unit: 'requests' }));
invariant('only pro tries things', needsTier({ tiers: ['free', 'pro'], from: 'pro', model: trial }));
invariant('all stays in the EU', ({ paths }) => paths.every(({ end }) => end.sort === 'upstream' || end.tags.includes('eu')));
invariant('nothing is left to chance', ({ paths }) => paths.find(({ chance }) => chance > 0 && chance < 1));
invariant('this one gives no reason', () => false);
invariant('this one is broken', ({ paths }) => {
  throw new Error(`it saw ${paths.filter(() => true).length} paths`);
});
invariant('this one holds', ({ paths }) => paths.every(({ consumer: { name } }) => name !== 'nobody'));

export default defineGateway({ name: 'promises', models: [records, trial], routes: [orders], consumers: [gold, guest] });
