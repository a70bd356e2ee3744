import { consumer, contextPolicy, defineGateway, model, provider, quota } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const many = quota('many', {
  unit: 'requests',
  limit: 0,
  window: '90d',
});
const short = quota('short', { unit: 'requests', window: '1h' });
const lacking = quota('lacking', { unit: 'requests', limit: 1 } as never);
const excess = quota('excess', { unit: 'requests', limit: 1, window: '1h', ...{ burst: 5 } });
const typo = quota('typo', { unit: 'requests', limit: 5, window: '1h', onStoreDwn: 'open' });
const tidy = contextPolicy('tidy', { kind: 'slidingWindow', target: 1_000 });
const bad = quota('no spaces', { unit: 'requests', limit: 1, window: '1h' });
const slow = provider('slow', {
  kind: 'sandbox',
  models: {
    echo: { contextWindow: 8_192, latency: '90m' },
  },
});
const late = slow.target('echo', { timeout: '2h', retries: 9 });
const all = model('all', { targets: [late], quotas: [many, short, lacking, excess, typo, bad], context: tidy });
export default defineGateway({ name: 'demo', models: [echo, all], consumers: [team] });
