import { consumer, defineGateway, invariant, isLimited, model, provider, quota, staysAt } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } }, tags: ['eu'] });
const some = quota('some', { unit: 'requests', limit: 10, window: '1h' });
const echo = model('echo', { targets: [sandbox.target('echo')], quotas: [some], tags: ['pii'] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

invariant('pii stays', staysAt({ tag: 'pii', at: [sandbox] }));
invariant('nobody carries it', staysAt({ tag: 'pi', at: [sandbox] }));
invariant('a provider carries it', staysAt({ tag: 'eu', at: [sandbox] }));
invariant('limited', isLimited({ unit: 'requests' }));
invariant('limited', isLimited({ unit: 'requests' }));

export default defineGateway({ name: 'demo', models: [echo], consumers: [team] });
