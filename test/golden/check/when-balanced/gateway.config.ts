import {
  cheapest,
  claim,
  consumer,
  defineGateway,
  fastest,
  leastBusy,
  model,
  ordered,
  provider,
  roundRobin,
  sticky,
  weighted,
  when,
} from 'headgate';

const sandbox = provider('sandbox', {
  kind: 'sandbox',
  models: {
    one: { contextWindow: 8_192, capabilities: ['tools'] },
    two: { contextWindow: 8_192, capabilities: ['tools'] },
    weak: { contextWindow: 8_192 },
  },
});
const [one, two] = [sandbox.target('one'), sandbox.target('two')];

const nested = model('nested', {
  needs: ['tools'],
  targets: [
    when({ consumers: ['team'], stream: true }, sticky({ by: 'user' }, one, two)),
    when({ headers: { 'x-tier': ['batch'] }, minTokens: 1_000 }, cheapest(one, two)),
    weighted({ weight: 9, target: leastBusy(one, two) }, { weight: 1, target: ordered(two, one) } as never),
  ],
});
const weak = model('weak', { needs: ['tools'], targets: [roundRobin(one, sandbox.target('weak'))] });
const by = model('by', { targets: [sticky({ by: 'session' }, one, two)] });
const alone = model('alone', { targets: [fastest(one)] });
const empty = model('empty', { targets: [when({}, one), two] });
const never = model('never', { targets: [when({ minTokens: 10, maxTokens: 5 }, one), two] });
const tiered = model('tiered', { targets: [when({ claims: [claim('tier').is('gold')] }, one), two] });
const stranger = model('stranger', { targets: [when({ consumers: ['team', 'taem'] }, one), two] });
const picky = model('picky', { targets: [when({ tools: true }, one), when({ images: true }, roundRobin(one, two))] });
const split = model('split', { needs: ['tools'], targets: [when({ stream: true }, one, sandbox.target('weak'))] });
const within = model('within', { targets: [cheapest(one, cheapest(two, one))] });

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });
export default defineGateway({
  name: 'demo',
  models: [nested, weak, by, alone, empty, never, tiered, stranger, picky, split, within],
  consumers: [team],
});
