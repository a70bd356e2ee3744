import { consumer, contextPolicy, defineGateway, model, prompt, provider } from 'headgate';

const box = provider('box', { kind: 'sandbox', models: { vectors: { kind: 'embedding', contextWindow: 8_192 } } });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });
const tone = prompt('tone', { system: 'Be kind.' });
const tidy = contextPolicy('tidy', { kind: 'quantisedCut', target: 4_000 });

const search = model('search', { targets: [box.target('vectors')] });
const prompted = model('prompted', { targets: [box.target('vectors')], prompt: tone });
const kept = model('kept', { targets: [box.target('vectors')], context: tidy });
// Given up types: what is found is the same.
const spec = { targets: [box.target('vectors')], prompt: tone, probe: { message: 'ping' } } as never;
const untyped = model('untyped', spec);
export default defineGateway({ name: 'demo', models: [search, prompted, kept, untyped], consumers: [team] });
