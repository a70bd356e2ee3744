import {
  consumer,
  contextPolicy,
  defineGateway,
  from,
  model,
  policy,
  prompt,
  provider,
  quota,
  route,
  secret,
  upstream,
  weighted,
} from 'headgate';

const home = provider('home', { kind: 'sandbox', models: { small: { contextWindow: 2_000 }, spare: { contextWindow: 2_000 } } });
const remote = provider('remote', {
  kind: 'openai',
  apiKey: secret('REMOTE_KEY'),
  models: { big: { contextWindow: 100_000 } },
});

const daily = quota('daily', { unit: 'requests', limit: 100, window: '1d' });
const everyone = quota('everyone', { unit: 'requests', limit: 5_000, window: '1h', scope: 'gateway' });
const recent = contextPolicy('recent', { kind: 'quantisedCut', target: 'window', reserveOutput: 200 });
const noPlans = policy('no-plans', { kind: 'blockTerms', terms: ['secret plan'] });
const support = prompt('support', { system: 'You help {{customer}}.\n\nBe brief.', user: 'The tone: {{tone}}.' });

const chat = model('chat', {
  targets: [home.target('small'), remote.target('big')],
  context: recent,
  policies: [noPlans],
  quotas: [everyone],
});
const desk = model('desk', {
  targets: [weighted({ weight: 2, target: home.target('small') }, { weight: 1, target: remote.target('big') })],
  prompt: support.with({ customer: from.metadata('customer'), tone: 'calm' }),
});

const shop = upstream('shop', { url: 'https://shop.example.com/api' });
const orders = route('orders', { path: '/orders/*', methods: ['GET'], upstream: shop, stripPrefix: '/orders' });

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'], quotas: [daily] });
const guest = consumer('guest', {
  keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000002'],
  models: [desk],
  routes: [],
});

export default defineGateway({ name: 'explained', models: [chat, desk], routes: [orders], consumers: [team, guest] });
