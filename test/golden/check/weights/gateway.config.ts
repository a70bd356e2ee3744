import { consumer, defineGateway, model, ordered, provider, weighted } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const target = sandbox.target('echo');
const unweighed = model('unweighed', {
  targets: [weighted({ weight: 1, target }, { target } as never)],
});
const weighed = model('weighed', { targets: [ordered({ ...target, weight: 2 } as never)] });
export default defineGateway({ name: 'demo', models: [echo, unweighed, weighed], consumers: [team] });
