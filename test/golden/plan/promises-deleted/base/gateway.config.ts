import { consumer, defineGateway, invariant, model, needsTier, provider, staysAt } from 'headgate';

const home = provider('home', { kind: 'sandbox', models: { small: { contextWindow: 8_192 } }, tags: ['eu'] });
const away = provider('away', { kind: 'sandbox', models: { big: { contextWindow: 8_192 }, bigger: { contextWindow: 8_192 } } });

const letters = model('letters', { targets: [home.target('small')] });
const records = model('records', { targets: [home.target('small')], tags: ['pii'] });
const drafts = model('drafts', { targets: [away.target('big')] });

const clinic = consumer('clinic', {
  keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
  tags: ['pro'],
});

invariant('pii stays home', staysAt({ tag: 'pii', at: [home] }));
invariant('secrets stay home', staysAt({ tag: 'secret', at: [home] }));
invariant('only pro reads records', needsTier({ tiers: ['free', 'pro'], from: 'pro', model: records }));
invariant('somebody is served', ({ paths }) => paths.some(() => true));

export default defineGateway({
  name: 'acme',
  models: [letters, records, drafts],
  consumers: [clinic],
  accept: [{ code: 'provider_model_unused', in: away, reason: 'kept for a trial next month' }],
});
