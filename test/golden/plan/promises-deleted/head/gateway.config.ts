import { consumer, defineGateway, invariant, isLimited, model, needsTier, provider, staysAt } from 'headgate';

const home = provider('home', { kind: 'sandbox', models: { small: { contextWindow: 8_192 } }, tags: ['eu'] });
const away = provider('away', { kind: 'sandbox', models: { big: { contextWindow: 8_192 }, bigger: { contextWindow: 8_192 } } });

const letters = model('letters', { targets: [home.target('small')] });
const records = model('records', { targets: [home.target('small')] });
const drafts = model('drafts', { targets: [away.target('big')] });

const clinic = consumer('clinic', {
  keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
  tags: ['pro'],
});

invariant('secrets stay home', staysAt({ tag: 'secret', at: [home, away] }));
invariant('only pro reads records', needsTier({ tiers: ['free', 'pro'], from: 'pro', model: records }));
invariant('somebody is served', ({ paths }) => paths.some(() => true) || true);
invariant('most is limited', (graph) => isLimited()(graph) !== undefined);

export default defineGateway({
  name: 'acme',
  models: [letters, records, drafts],
  consumers: [clinic],
  accept: [
    { code: 'fallback_same_provider', in: records, reason: 'home has no other account yet' },
    { code: 'provider_model_unused', in: away, reason: 'kept for a trial this month' },
  ],
});
