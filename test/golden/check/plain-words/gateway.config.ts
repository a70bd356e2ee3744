import { consumer, defineGateway, from, model, policy, prompt, provider, quota, route, secret, upstream } from 'headgate';

// Mistakes that the compiler tells in its own terms; each must come out in those of the configuration, with its cure.
const vendor = provider('vendor', {
  kind: 'anthropic',
  apiKey: 'hunter2',
  models: { 'claude-haiku-4-5': {}, 'claude-sonnet-4-5': {}, 'claude-haiku-4-6': {} },
});
const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const translate = prompt('translate', {
  system: 'Translate into {{language}}, in a {{style}} style.',
  choices: { style: ['plain', 'literary'] },
  fixtures: { usual: { language: 'French', style: 'plain' } },
});
const hourly = quota('hourly', { unit: 'requests', limit: '10', window: 'hour' });
const shop = upstream('shop', { url: 'https://shop.example.com', timeout: 10 });
const terms = policy('terms', { kind: 'blockTerms', terms: ['internal use only'] });

const unbound = model('unbound', { targets: [sandbox.target('echo')], prompt: translate, policies: [terms] });
const slow = model('slow', { targets: [sandbox.target('echo', { timeout: '10' }), vendor.target('claude-haiku-4.5')] });
const missing = model('missing', { targets: [sandbox.target('echo')], prompt: translate.with({ language: 'French' }) });
const choice = model('choice', {
  targets: [sandbox.target('echo')],
  prompt: translate.with({ language: 'French', style: 'loud' }),
});
const fallback = model('fallback', {
  targets: [sandbox.target('echo')],
  prompt: translate.with({ language: 'French', style: from.metadata('style', { default: 'loud' }) }),
});
const misspelt = route('misspelt', { path: '/shop/*', upstream: shop, retrys: 1 });
const named = route('named', { path: '/named/*', upstream: 'shop', quotas: ['hourly'] });
const mixed = model('mixed', { targets: [sandbox.target('echo')], policies: [hourly], quotas: [secret('X')] });
// What only follows from these mistakes is not said.
const order = quota('order', { unit: 'requests', limit: 20, window: '1m' });
const other = upstream('other', { url: 'https://other.example.com' });
const guard = policy('guard', { kind: 'blockTerms', terms: ['strictly private'] });
const retried = model('retried', { targets: [sandbox.target('echo', { timeout: '30s', retrys: 1 })] });
const direct = model('direct', { targets: ['spare/echo'] });
const spare = provider('spare', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const hostless = upstream('hostless', { url: 'bills.example.com' });
const pathless = route('pathless', { path: 'bills', upstream: hostless, stripPrefix: 'bills' });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

export default defineGateway({
  name: 'demo',
  models: [unbound, slow, missing, choice, fallback, mixed, retried, direct],
  routes: [misspelt, named, pathless],
  consumers: [team],
});
