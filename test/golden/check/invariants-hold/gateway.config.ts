import {
  consumer,
  defineGateway,
  invariant,
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

invariant('pii stays where it may', staysAt({ tag: 'pii', at: [home, away, back] }));
invariant('what has a tag nobody carries may go anywhere', staysAt({ tag: 'secret', at: [] }));
invariant('all that pro asks for is limited', ({ paths }) =>
  paths.every(({ consumer: { tags }, quotas }) => !tags.includes('pro') || quotas.length > 0),
);
invariant('free may read records', needsTier({ tiers: ['free', 'pro'], from: 'free', model: records }));
invariant('purity goes for promises too', ({ paths }) => paths.some(() => Math.random() < 2));

export default defineGateway({ name: 'promises', models: [records, trial], routes: [orders], consumers: [gold, guest] });
