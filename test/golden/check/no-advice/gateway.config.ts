import { consumer, contextPolicy, defineGateway, from, model, ordered, policy, prompt, provider, quota, route, secret, upstream, weighted } from 'headgate';
import houseText from './prompts/house.md';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-6-sol': { contextWindow: 400_000, maxOutputTokens: 128_000 }, 'gpt-6-luna': { contextWindow: 400_000 } },
});
const europe = provider('openai-europe', {
  kind: 'openai',
  baseUrl: 'https://eu.api.example.com/v1',
  apiKey: secret('EUROPE_API_KEY', { optional: true }),
  models: { 'gpt-6-sol': { contextWindow: 400_000 } },
});
const anthropic = provider('anthropic', {
  kind: 'anthropic',
  apiKey: secret('ANTHROPIC_API_KEY', { optional: true }),
  models: { 'claude-opus-5-5': { contextWindow: 200_000, maxOutputTokens: 64_000 } },
});
const local = provider('local', {
  kind: 'openai',
  baseUrl: 'http://ollama.internal:11434/v1',
  headers: { 'x-revision': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
  models: { llama: { contextWindow: 131_072 } },
});

const minute = quota('minute', { unit: 'requests', limit: 60, window: '1m' });
const daily = quota('daily', { unit: 'requests', limit: 1_000, window: '1d' });
const everyone = quota('everyone', { unit: 'requests', limit: 100_000, window: '1d', scope: 'gateway' });
const weekly = quota('weekly', { unit: 'requests', limit: 5_000, window: '7d' });
const tidy = contextPolicy('tidy', { kind: 'quantisedCut', target: 'window', reserveOutput: 8_000 });
const short = contextPolicy('short', { kind: 'quantisedCut', target: 6_000 });
const block = policy('block', { kind: 'blockTerms', terms: ['company confidential', 'internal use only', '机密文件'] });
const house = prompt('house', {
  system: houseText as `${string}{{tone}}${string}`,
  user: 'I am {{customer}}.',
  choices: { tone: ['friendly', 'formal'] },
  fixtures: { usual: { tone: 'formal', customer: 'Ada' } } as never,
} as never);

const sol = model('gpt-6-sol', {
  targets: [openai.target('gpt-6-sol', { timeout: '2m', retries: 1 }), europe.target('gpt-6-sol'), anthropic.target('claude-opus-5-5')],
  context: tidy,
  policies: [block],
  quotas: [minute, daily, everyone],
});
const trial = model('trial', {
  targets: [
    weighted({ weight: 99, target: ordered(openai.target('gpt-6-sol'), europe.target('gpt-6-sol')) }, { weight: 1, target: anthropic.target('claude-opus-5-5') }),
    local.target('llama'),
  ],
  context: short,
  quotas: [minute, weekly],
});
const desk = model('desk', {
  targets: [openai.target('gpt-6-luna'), local.target('llama')],
  prompt: house.with({ tone: from.header('x-tone', { default: 'formal' }), customer: from.metadata('customer', { default: '' }) } as never),
  quotas: [daily],
});

const orders = upstream('orders', { url: 'http://orders.internal/v2', headers: { authorization: secret('ORDERS_TOKEN'), 'x-team': 'shop' } });
const bills = upstream('bills', { url: 'https://bills.example.com/bills' });
const list = route('list', { path: '/orders/*', methods: ['GET'], upstream: orders, stripPrefix: '/orders', retries: 2 });
const create = route('create', { path: '/orders/*', methods: ['POST'], upstream: orders, stripPrefix: '/orders' });
const exported = route('export', { path: '/orders/export', methods: ['GET'], upstream: bills });
const elsewhere = route('elsewhere', { path: '/orders/*', host: 'b.example.com', upstream: orders });
const invoices = route('invoices', { path: '/bills/*', upstream: bills, stripPrefix: '/bills' });
const slash = route('slash', { path: '/health/', upstream: orders });
const bare = route('bare', { path: '/health', upstream: orders });

const team = consumer('team', {
  keys: [
    'sha256:5ad1e6b0a3f4b8f5a1c0f1b6f9f0b1d1c8b8b0e8f5a3a1e2d4c6b8a09f7e5d3c',
    'sha256:6ad1e6b0a3f4b8f5a1c0f1b6f9f0b1d1c8b8b0e8f5a3a1e2d4c6b8a09f7e5d3c',
  ],
  quotas: [everyone],
});
const reader = consumer('reader', {
  keys: ['sha256:7ad1e6b0a3f4b8f5a1c0f1b6f9f0b1d1c8b8b0e8f5a3a1e2d4c6b8a09f7e5d3c'],
  models: [],
  routes: [list],
});

export default defineGateway({
  name: 'shop',
  models: [sol, trial, desk],
  routes: [list, create, exported, elsewhere, invoices, slash, bare],
  consumers: [team, reader],
});
