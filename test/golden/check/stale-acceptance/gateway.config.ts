import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const spare = consumer('spare', { keys: [] });

export default defineGateway({ name: 'demo', models: [echo], consumers: [team, spare], accept: [
    { code: 'consumer_without_keys', in: spare, reason: 'its key is made next week' },
    { code: 'consumer_without_keys', in: team, reason: 'its key is made next week' },
  ] });
