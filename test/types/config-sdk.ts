/** What the types of the SDK must accept, and what they must refuse where it stands; compiled, never run. */
import {
  capable,
  cheapest,
  claim,
  consumer,
  contextPolicy,
  defineGateway,
  fastest,
  from,
  leastBusy,
  model,
  only,
  ordered,
  policy,
  prompt,
  provider,
  quota,
  roundRobin,
  route,
  secret,
  sticky,
  upstream,
  weighted,
  when,
} from 'headgate';
import type { BoundPrompt, Group, Model, Prompt, Quota, Target, Value } from 'headgate';
import type { Above } from '../../config-sdk/fitting.ts';

type Same<Left, Right> =
  (<Probe>() => Probe extends Left ? 1 : 2) extends <Probe>() => Probe extends Right ? 1 : 2 ? true : false;
const assertType = <Fact extends true>(fact?: Fact): void => void fact;

const sandbox = provider('sandbox', {
  kind: 'sandbox',
  models: { echo: { contextWindow: 8_192, latency: '40ms' }, slow: { contextWindow: 1_024 } },
});
const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-5': { contextWindow: 400_000, maxOutputTokens: 8_000 } },
});
const google = provider('google', {
  kind: 'google',
  apiKey: secret('GEMINI_API_KEY'),
  models: { 'gemini-2.5-pro': {}, 'gemini-3.8-flash': {} },
});
const free = quota('free', { unit: 'requests', limit: 10, window: '1h', scope: 'gateway', onStoreDown: 'open' });
quota('shared out', {
  unit: 'usd',
  limit: '9.00',
  window: '1h',
  scope: 'gateway',
  onStoreDown: { local: { replicas: 3 } },
});
const tidy = contextPolicy('tidy', { kind: 'quantisedCut', target: 'window' });
const block = policy('block', { kind: 'blockTerms', terms: ['never'] });
const support = prompt('support', {
  system: 'Help {{name}} in a {{ tone }} tone',
  user: 'About {{product}}',
  choices: { tone: ['formal', 'casual'] },
});
const plain = prompt('plain', { system: 'Be kind' });
const orders = upstream('orders', {
  url: 'https://orders.internal',
  headers: { authorization: secret('ORDERS') },
  timeout: '5s',
});

// Facts come from the catalogue, and what is written wins.
const vendor = provider('vendor', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-4.1': {},
    'gpt-4o': { contextWindow: 9_000, capabilities: ['tools'] },
    'text-embedding-3-small': {},
    'gpt-5-pro': {},
    priced: { contextWindow: 1_000, prices: { input: '0.25', output: '1' } },
    plain: { contextWindow: 1_000, kind: 'embedding' },
  },
});
// Presets are kinds like the others: models of vendors by name, those of servers of one's own with their window.
const groq = provider('groq', { kind: 'groq', apiKey: secret('GROQ_API_KEY'), models: { 'openai/gpt-oss-20b': {} } });
const served = provider('served', { kind: 'vllm', models: { 'our-own': { contextWindow: 32_000 } } });
const deployed = provider('deployed', {
  kind: 'azure',
  baseUrl: 'https://mine.openai.azure.com/openai/v1',
  apiKey: secret('AZURE_OPENAI_API_KEY'),
  models: { 'gpt-4.1': {}, 'our-deployment': { contextWindow: 128_000 } },
});
model('of-presets', {
  needs: ['tools'],
  targets: [groq.target('openai/gpt-oss-20b'), deployed.target('gpt-4.1')],
});
model('of-ours', { targets: [served.target('our-own'), deployed.target('our-deployment')] });
type Facts<Handle> = Handle extends Target<infer Name, infer Traits, infer Window> ? [Name, Traits, Window] : never;
const known = vendor.target('gpt-4.1');
const narrowed = vendor.target('gpt-4o');
const embedding = vendor.target('text-embedding-3-small');
const priced = vendor.target('priced');
const plainEmbedding = vendor.target('plain');
assertType<Same<Facts<typeof known>[0], 'vendor/gpt-4.1'>>();
assertType<Same<Facts<typeof known>[2], 1_047_576>>();
assertType<'chat' | 'priced' | 'tools' | 'images' extends Facts<typeof known>[1] ? true : false>();
assertType<Same<Facts<typeof narrowed>, ['vendor/gpt-4o', 'chat' | 'priced' | 'tools', 9_000]>>();
assertType<Same<Facts<typeof embedding>, ['vendor/text-embedding-3-small', 'embedding' | 'priced', 8_191]>>();
assertType<Same<Facts<typeof priced>, ['vendor/priced', 'chat' | 'priced', 1_000]>>();
assertType<Same<Facts<typeof plainEmbedding>, ['vendor/plain', 'embedding', 1_000]>>();

// Groups know every target in them, and what a list asks for is asked of each.
const spread = weighted({ weight: 1, target: ordered(known, narrowed) }, { weight: 1, target: priced });
assertType<Same<typeof spread, Group<typeof known | typeof narrowed | typeof priced>>>();
const nested = when(
  { stream: true, consumers: ['team'] },
  sticky({ by: 'user' }, roundRobin(known), narrowed),
  fastest(priced),
);
assertType<Same<typeof nested, Group<typeof known | typeof narrowed | typeof priced>>>();
const alone = when({ headers: { 'x-tier': ['gold'] } }, leastBusy(known, cheapest(narrowed)));
assertType<Same<typeof alone, Group<typeof known | typeof narrowed>>>();
const held = only({ tags: ['eu'], when: { consumerTags: ['clinic'], metadata: { private: ['true'] } } }, spread);
assertType<Same<typeof held, typeof spread>>();
const tiered = when({ claims: [claim('tier').is('gold'), claim('groups').includes('shop')] }, spread);
assertType<Same<typeof tiered, typeof spread>>();
// @ts-expect-error -- a condition asks something
when({ claims: [] }, spread);
// @ts-expect-error -- claims are asked for with claim()
when({ claims: { tier: ['gold'] } }, spread);
const able = capable(known, narrowed);
assertType<Same<typeof able, typeof alone>>();
const fitting = contextPolicy('fitting', { kind: 'quantisedCut', target: 9_000 });
const anyBudget: number = 9_000;
const unknownBudget = contextPolicy('unknown-budget', { kind: 'quantisedCut', target: anyBudget });
const money = quota('money', { unit: 'usd', limit: '250.00', window: { calendar: 'month', zone: 'Europe/Berlin' } });
assertType<Same<typeof money, Quota<'usd', never>>>();
// What a model is for is known to quotas that send calls to it.
const little = model('little', { targets: [narrowed] });
const vectors = model('vectors', { targets: [embedding, plainEmbedding] });
const reasoner = model('reasoner', { targets: [ordered(vendor.target('gpt-5-pro'), known)] });
assertType<Same<typeof little, Model<'chat'>>>();
assertType<Same<typeof vectors, Model<'embedding'>>>();
assertType<Same<typeof reasoner, Model<'chat'>>>();
const sparing = quota('sparing', { unit: 'usd', limit: '9', window: '1h', downgrade: { at: 0.8, to: little } });
const sparingVectors = quota('vectors', {
  unit: 'tokens',
  limit: 9,
  window: '1h',
  downgrade: { at: 0.8, to: vectors },
});
assertType<Same<typeof sparing, Quota<'usd', 'chat'>>>();
const anyModel: Model = vectors;
const toAny = quota('to-any', { unit: 'tokens', limit: 9, window: '1h', downgrade: { at: 0.8, to: anyModel } });
const anyQuota: Quota = sparingVectors;
model('downgraded', { targets: [known], quotas: [free, sparing, money, toAny] });
model('downgraded-reasoner', { targets: [vendor.target('gpt-5-pro')], quotas: [sparing] });
model('fewer-vectors', { targets: [embedding], quotas: [sparingVectors, free] });
model('not-judged-either', { targets: [known], quotas: [anyQuota] });
consumer('of-both', { quotas: [sparing, sparingVectors, free] });
// @ts-expect-error a model that chats for one that makes embeddings
model('chatty-vectors', { targets: [embedding], quotas: [sparing] });
// @ts-expect-error one of several
model('mixed', { targets: [known], quotas: [free, sparing, sparingVectors] });
// @ts-expect-error in money without a price, however cheap the other one is
model('unpriced', { targets: [priced, served.target('our-own')], quotas: [sparing] });
quota('at-once', { unit: 'concurrency', limit: 4, warnAt: 0.8, mode: 'soft' });
quota('by-day', { unit: 'tokens', limit: 4, window: { calendar: 'day' }, was: { window: '1h' } });
quota('in-berlin', {
  unit: 'usd',
  limit: '9',
  window: { calendar: 'day', zone: 'Europe/Berlin' },
  was: { name: 'by-day', window: { calendar: 'day' } },
});
quota('renamed-flight', { unit: 'concurrency', limit: 4, was: 'at-once' });
quota('last-hour', { unit: 'outputTokens', limit: 1_000_000, window: { sliding: '1h' } });
model('all-fit', { needs: ['tools'], targets: [known, ordered(narrowed)], context: fitting, quotas: [free, money] });
model('only-by-another-api', { needs: ['reasoning'], targets: [vendor.target('gpt-5-pro')] });
model('not-judged', { targets: [priced], context: unknownBudget });
model('kept-elsewhere', { targets: [known, narrowed] as const, context: fitting });
const anyTarget: Target = known;
model('unknown-facts', { needs: ['images'], targets: [anyTarget], context: fitting });
assertType<Same<Above<9, 10>, false>>();
assertType<Same<Above<10, 9>, true>>();
assertType<Same<Above<1_047_576, 1_047_575>, true>>();
assertType<Same<Above<128_000, 128_000>, false>>();
assertType<Same<Above<number, 1>, false>>();

// Variables are read out of the templates, choices narrow them.
type Variables = Parameters<typeof support.with>[0];
assertType<Same<keyof Variables, 'name' | 'tone' | 'product'>>();
assertType<Same<Variables['name'], Value>>();
assertType<Same<Variables['tone'], Value<'formal' | 'casual'>>>();
assertType<Same<ReturnType<typeof support.with>, BoundPrompt>>();
assertType<typeof plain extends Prompt<{}> ? true : false>();
support.with({ name: from.header('x-name'), tone: from.metadata('tone', { default: 'formal' }), product: 'books' });

const assistant = model('assistant', {
  targets: [
    weighted(
      { weight: 2, target: sandbox.target('echo') },
      { weight: 1, target: ordered(openai.target('gpt-5', { retries: 1 })) },
    ),
    sandbox.target('slow'),
  ],
  prompt: support.with({ name: 'Ada', tone: 'casual', product: 'books' }),
  context: tidy,
  policies: [block],
  quotas: [free],
});
model('of-google', { needs: ['tools', 'images'], targets: [google.target('gemini-2.5-pro')] });
model('with-plain-prompt', { targets: [sandbox.target('echo')], prompt: plain });
const list = route('list', { path: '/orders/*', upstream: orders, methods: ['GET'], quotas: [free] });
const team = consumer('team', {
  keys: [`sha256:${'0'.repeat(64)}`],
  models: [assistant],
  routes: [list],
  prompts: [plain, support],
  quotas: [free],
});
defineGateway({ name: 'demo', models: { assistant }, routes: [list], consumers: [team] });
const probed = model('probed', {
  targets: [sandbox.target('echo')],
  probe: { message: 'ping', expect: 'pong', timeout: '2s', maxTokens: 4 },
});
const healthy = route('healthy', {
  path: '/orders/*',
  upstream: orders,
  probe: { path: '/orders/health', method: 'HEAD', expectStatus: 204, timeout: '1s' },
});
defineGateway({
  name: 'demo',
  models: [probed],
  routes: [healthy],
  consumers: [team],
  removed: { 'models.old': 'nobody asks for it', 'routes.legacy': 'replaced by orders' },
});

const targets = [sandbox.target('echo')] as const;

// @ts-expect-error the provider has no such model
model('unknown-model', { targets: [sandbox.target('gpt-6')] });
// @ts-expect-error no such name
model('unknown-provider', { targets: [opnai.target('gpt-5')] });
// @ts-expect-error a model of another provider
model('foreign-model', { targets: [openai.target('echo')] });
// @ts-expect-error no such name
model('unknown-quota', { targets, quotas: [fre] });
// @ts-expect-error a context policy is no quota
model('policy-as-quota', { targets, quotas: [tidy] });
// @ts-expect-error references are values
model('quota-as-string', { targets, quotas: ['free'] });
// @ts-expect-error a quota is no context policy
model('quota-as-context', { targets, context: free });
// @ts-expect-error a rule over input is no context policy
model('block-as-context', { targets, context: block });
// @ts-expect-error a variable is missing
model('missing-variable', { targets, prompt: support.with({ tone: 'formal', product: 'x' }) });
// @ts-expect-error a variable too many
model('extra-variable', { targets, prompt: support.with({ name: 'x', tone: 'formal', product: 'y', mood: 'z' }) });
// @ts-expect-error not one of the choices
model('bad-choice', { targets, prompt: support.with({ name: 'x', tone: 'rude', product: 'y' }) });
// @ts-expect-error the default is not one of the choices either
support.with({ name: 'x', tone: from.header('t', { default: 'rude' }), product: 'y' });
// @ts-expect-error variables without values
model('unbound-prompt', { targets, prompt: support });
// @ts-expect-error at least one target
model('no-targets', { targets: [] });
// @ts-expect-error a model is no target
model('model-as-target', { targets: [assistant] });
// @ts-expect-error weights are not optional where they decide
weighted({ target: sandbox.target('echo') });
// @ts-expect-error there is no such thing to go by
sticky({ by: 'session' }, sandbox.target('echo'));
// @ts-expect-error what it goes by is missing
sticky({}, sandbox.target('echo'));
// @ts-expect-error a condition is no text
when('stream', sandbox.target('echo'));
// @ts-expect-error there is no such condition
when({ language: 'en' }, sandbox.target('echo'));
// @ts-expect-error tags to narrow by are missing
only({ when: { stream: true } }, sandbox.target('echo'));
// @ts-expect-error a narrowing has no otherwise
only({ tags: ['eu'], otherwise: known }, sandbox.target('echo'));
// @ts-expect-error members are needed
roundRobin();
// @ts-expect-error a member inside cannot do what is needed
model('unfit-inside', { needs: ['images'], targets: [when({ images: true }, fastest(known), narrowed)] });
// @ts-expect-error no such property
model('misspelt', { targets, qoutas: [free] });
// @ts-expect-error no such property of a target
sandbox.target('echo', { timout: '1s' });
// @ts-expect-error choices for what no template mentions
prompt('unknown-choice', { system: 'Hi {{name}}', choices: { tone: ['a'] } });
// @ts-expect-error a fixture without one of the variables
prompt('short-fixture', { system: 'Hi {{name}} {{place}}', fixtures: { one: { name: 'x' } } });
// @ts-expect-error no such unit
quota('bad-unit', { limit: 1, unit: 'request', window: '1h' });
// @ts-expect-error money is no float
quota('float-money', { unit: 'usd', limit: 250, window: '1h' });
// @ts-expect-error only money is written as text
quota('text-tokens', { unit: 'tokens', limit: '250', window: '1h' });
// @ts-expect-error what has ended counts no more
quota('window-of-calls', { unit: 'concurrency', limit: 4, window: '1h' });
// @ts-expect-error over which time?
quota('no-window', { unit: 'tokens', limit: 4 });
// @ts-expect-error no such stretch of the calendar
quota('bad-calendar', { unit: 'tokens', limit: 4, window: { calendar: 'quarter' } });
// @ts-expect-error misspelt
quota('misspelt', { unit: 'tokens', limit: 4, window: '1h', warnat: 0.5 });
// @ts-expect-error a count in another unit cannot go on
quota('other-unit', { unit: 'tokens', limit: 4, window: '1h', was: { unit: 'requests', window: '1d' } });
// @ts-expect-error which window?
quota('former-name', { unit: 'tokens', limit: 4, window: '1h', was: { name: 'calls' } });
// @ts-expect-error what is in flight has no window
quota('former-flight', { unit: 'concurrency', limit: 4, was: { window: '1h' } });
// @ts-expect-error no duration
quota('bad-window', { limit: 1, unit: 'requests', window: '1 hour' });
// @ts-expect-error no such kind of provider
provider('bad-kind', { kind: 'opnai', models: {} });
// @ts-expect-error an option of another kind
provider('foreign-option', { kind: 'sandbox', apiKey: secret('X'), models: {} });
// @ts-expect-error a fact that only other kinds have
provider('foreign-fact', { kind: 'openai', models: { m: { contextWindow: 1, latency: '1s' } } });
// @ts-expect-error no such fact
provider('misspelt-fact', { kind: 'openai', models: { 'gpt-4.1': { contextWindows: 1 } } });
// @ts-expect-error no such capability
provider('bad-capability', { kind: 'openai', models: { 'gpt-4.1': { capabilities: ['tool'] } } });
// @ts-expect-error what goes out has a price too
provider('half-a-price', { kind: 'openai', models: { 'gpt-4.1': { prices: { input: '1' } } } });
// @ts-expect-error known to another vendor only
provider('foreign-model', { kind: 'anthropic', models: { 'gpt-4.1': {} } });
model('vectors', {
  targets: [plainEmbedding, weighted({ weight: 1, target: embedding })],
  quotas: [free],
  policies: [block],
});
// @ts-expect-error an embedding model, as written
model('embedding-as-chat', { targets: [sandbox.target('echo'), plainEmbedding] });
// @ts-expect-error and the other way round
model('chat-as-embedding', { targets: [plainEmbedding, sandbox.target('echo')] });
// @ts-expect-error nothing for a prompt to stand before
model('vectors-with-prompt', { targets: [plainEmbedding], prompt: plain });
// @ts-expect-error no messages to keep in a window
model('vectors-with-context', { targets: [plainEmbedding], context: tidy });
// @ts-expect-error nothing to say
model('vectors-with-probe', { targets: [plainEmbedding], probe: { message: 'ping' } });
// @ts-expect-error not that it could
model('vectors-with-needs', { needs: ['tools'], targets: [plainEmbedding] });
// @ts-expect-error every model has a window
provider('no-window', { kind: 'sandbox', models: { m: {} } });
// @ts-expect-error not the hash of a key
consumer('plain-key', { keys: ['hg_abc'] });
// @ts-expect-error a prompt is allowed, not what a model puts into it
consumer('bound', { prompts: [plain.with({})] });
// @ts-expect-error paths begin with a slash
route('relative', { path: 'a', upstream: orders });
// @ts-expect-error a route needs its upstream
route('nowhere', { path: '/a' });
// @ts-expect-error a probe needs something to say
model('silent-probe', { targets, probe: { expect: 'pong' } });
// @ts-expect-error probes of routes change nothing
route('changing-probe', { path: '/a', upstream: orders, probe: { path: '/a', method: 'POST' } });
// @ts-expect-error only what clients ask for can be removed
defineGateway({ name: 'demo', models: [assistant], consumers: [team], removed: { 'quotas.free': 'why' } });
// @ts-expect-error a quota is no model
defineGateway({ name: 'demo', models: [free], consumers: [team] });
// @ts-expect-error a rollout has at least one stage
defineGateway({ name: 'demo', models: [assistant], consumers: [team], rollout: { stages: [] } });
// @ts-expect-error a stage lasts for some time
defineGateway({ name: 'demo', models: [assistant], consumers: [team], rollout: { stages: [{ share: 0.5 }] } });
// @ts-expect-error nobody knows the window of what a server of one's own serves
provider('no-window', { kind: 'ollama', models: { 'llama3.2': {} } });
// @ts-expect-error every resource of Azure has an address of its own
provider('no-address', { kind: 'azure', apiKey: secret('AZURE_OPENAI_API_KEY'), models: { 'gpt-4.1': {} } });
