import {
  capable,
  consumer,
  defineGateway,
  model,
  only,
  ordered,
  policy,
  provider,
  roundRobin,
  when,
} from 'headgate';

const models = { m: { contextWindow: 8_192 } };
const home = provider('home', { kind: 'sandbox', tags: ['private', 'eu'], models });
const east = provider('east', { kind: 'sandbox', tags: ['us'], models });
const skills = provider('skills', {
  kind: 'sandbox',
  models: {
    words: { contextWindow: 8_192, capabilities: [] },
    hands: { contextWindow: 8_192, capabilities: ['tools'] },
  },
});
const pool = roundRobin(home.target('m'), east.target('m'));
const isPrivate = { metadata: { private: ['true'] } } as const;

const kept = model('kept', { targets: [only({ tags: ['private'], when: isPrivate }, pool)] });
const europe = model('europe', { targets: [only({ tags: ['eu'] }, pool)] });
const nowhere = model('nowhere', { targets: [only({ tags: ['eu', 'us'], when: isPrivate }, pool)] });
const misspelt = model('misspelt', { targets: [only({ tags: ['privat'] }, pool)] });
const ward = model('ward', { targets: [when({ consumerTags: ['clinic'] }, home.target('m'), east.target('m'))] });
const stranger = model('stranger', {
  targets: [only({ tags: ['private'], when: { consumers: ['nurse'], consumerTags: ['clinics'] } }, pool)],
});
const able = model('able', { targets: [capable(skills.target('words'), skills.target('hands'))] });
const open = model('open', { targets: [only({ tags: ['private'], when: isPrivate }, pool), east.target('m')] });
const empty = model('empty', { targets: [ordered(only({ tags: ['eu'], when: {} }, pool), pool)] });

const names = policy('names', { kind: 'confineTerms', terms: ['patient name'], tags: ['private'] });
const away = model('away', { targets: [east.target('m')], policies: [names] });
const both = model('both', { targets: [pool], policies: [names] });

const team = consumer('team', {
  tags: ['clinic'],
  keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'],
});
export default defineGateway({
  name: 'demo',
  models: [kept, europe, nowhere, misspelt, ward, stranger, able, open, empty, away, both],
  consumers: [team],
});
