/**
 * The reference gateway: what `npm start` serves. Change something here, commit, and the next answer comes from the new
 * revision; `git revert` takes it back.
 */
import {
  consumer,
  defineGateway,
  from,
  invariant,
  isLimited,
  model,
  provider,
  quota,
  route,
  secret,
  upstream,
  weighted,
} from 'headgate';
import { noConfidential } from './policies/no-confidential.ts';
import { recentTurns } from './policies/recent-turns.ts';
import { support } from './prompts/support.ts';

// Providers: one account at one vendor each. `sandbox` answers in this process and needs no key.
const sandbox = provider('sandbox', {
  kind: 'sandbox',
  models: {
    small: { contextWindow: 8_192, reply: 'You said: {{input}}', latency: '20ms', chunkInterval: '10ms' },
    spare: { contextWindow: 8_192, reply: 'The spare heard: {{input}}' },
    // Not for chat: for POST /v1/embeddings.
    vectors: { kind: 'embedding', contextWindow: 8_192 },
    // Fails every time: what a broken vendor looks like.
    broken: { contextWindow: 8_192, fault: { type: 'status', status: 503 } },
  },
});
// These two come alive when their secret is present; until then their targets are out of rotation. Windows, capabilities and
// prices of models that the catalogue knows need not be written.
const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY', { optional: true }),
  models: { 'gpt-6-luna': {} },
});
const anthropic = provider('anthropic', {
  kind: 'anthropic',
  apiKey: secret('ANTHROPIC_API_KEY', { optional: true }),
  models: { 'claude-haiku-4-5': {} },
});

// A quota is one count for each consumer. Editing the limit keeps the count.
const perMinute = quota('per-minute', { unit: 'requests', limit: 60, window: '1m' });

// Models: the names that clients ask for. Targets are tried in order until one answers.
const assistant = model('assistant', {
  targets: [
    sandbox.target('small'),
    openai.target('gpt-6-luna', { timeout: '30s', retries: 1 }),
    anthropic.target('claude-haiku-4-5'),
  ],
  context: recentTurns,
  policies: [noConfidential],
  quotas: [perMinute],
});
const supportDesk = model('support-desk', {
  targets: [weighted({ weight: 9, target: sandbox.target('small') }, { weight: 1, target: sandbox.target('spare') })],
  prompt: support.with({ tone: 'friendly', customer: from.metadata('customer', { default: 'our customer' }) }),
  context: recentTurns,
  quotas: [perMinute],
});
// The first target always fails, the second answers: see `headgate-attempts: 2` in the response headers.
const fallbackDemo = model('fallback-demo', {
  targets: [sandbox.target('broken'), sandbox.target('spare')],
  quotas: [perMinute],
});

// What the first target is for the model is for: this one answers /v1/embeddings, and has no prompt and no context.
const search = model('search', {
  targets: [sandbox.target('vectors')],
  policies: [noConfidential],
  quotas: [perMinute],
});

// A plain REST route: here to the health check of this gateway's own admin plane, behind the same keys and quotas.
const adminPlane = upstream('admin-plane', { url: 'http://127.0.0.1:9090', timeout: '5s' });
const health = route('health', { path: '/healthz', methods: ['GET'], upstream: adminPlane, quotas: [perMinute] });

// Consumers: who may call. `npx --no-install headgate keys create` makes a key and the hash that stands here.
// `npm start` adds a consumer `dev` of its own, with the key it prints.
const operations = consumer('operations', {
  keys: ['sha256:0c5cf1f1a9d1f6f4c2a4d0b0b1f1e6f3a5b7c9d8e2f4a6b8c0d2e4f6a8b0c2d4'],
});
const webShop = consumer('web-shop', {
  keys: ['sha256:7ad1e6b0a3f4b8f5a1c0f1b6f9f0b1d1c8b8b0e8f5a3a1e2d4c6b8a09f7e5d3c'],
  models: [assistant, supportDesk],
});

// Promises that `check` holds on every path from a consumer to where a request may end, fallbacks included.
invariant('nothing is unlimited', isLimited());

export default defineGateway({
  name: 'reference',
  models: [assistant, supportDesk, fallbackDemo, search],
  routes: [health],
  consumers: [operations, webShop],
  // What `check` would warn of, and why it is right here. An entry that excuses nothing any more is a warning itself.
  accept: [
    { code: 'stand_in_target', in: assistant, reason: 'the demo answers on a machine without any key' },
    { code: 'client_text_in_system', in: supportDesk, reason: 'the name comes from our own shop, not from its users' },
  ],
});
