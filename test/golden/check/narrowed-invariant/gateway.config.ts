import { consumer, defineGateway, invariant, model, only, provider, staysAt, staysWithin, when } from 'headgate';

const models = { m: { contextWindow: 8_192 } };
const home = provider('home', { kind: 'sandbox', tags: ['private'], models });
const east = provider('east', { kind: 'sandbox', models });
const [private1, public1] = [home.target('m'), east.target('m')];
const isPrivate = { headers: { 'x-data': ['private'] } } as const;

const kept = model('kept', { targets: [only({ tags: ['private'], when: isPrivate }, private1, public1)] });
const leaks = model('leaks', { targets: [when(isPrivate, private1, public1), public1] });
const clinic = model('clinic', {
  targets: [only({ tags: ['private'], when: { consumerTags: ['clinic'] } }, public1, private1)],
});

const ward = consumer('ward', {
  tags: ['clinic'],
  models: [clinic],
  keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'],
});
const team = consumer('team', {
  models: [kept, leaks, clinic],
  keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000002'],
});
invariant('clinic-at-home', staysAt({ tag: 'clinic', at: [home] }));
invariant('private-at-home', staysWithin({ given: { headers: { 'x-data': 'private' } }, tags: ['private'] }));
invariant('private-kept', (graph) =>
  graph
    .given({ headers: { 'x-data': 'private' } })
    .every(({ entry, end }) => entry.name !== 'kept' || end.tags.includes('private')),
);
export default defineGateway({
  name: 'demo',
  models: [kept, leaks, clinic],
  consumers: [ward, team],
});
