import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 }, spare: { contextWindow: 8_192 } } });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const chat = model('chat', { targets: [sandbox.target('echo'), sandbox.target('spare'), sandbox.target('echo')] });

export default defineGateway({ name: 'demo', models: [chat], consumers: [team] });
