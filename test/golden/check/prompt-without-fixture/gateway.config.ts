import { consumer, defineGateway, model, prompt, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const house = prompt('house', { system: 'You help {{customer}}.' });
const chat = model('chat', { targets: [sandbox.target('echo')], prompt: house.with({ customer: 'the shop' }) });

export default defineGateway({ name: 'demo', models: [echo, chat], consumers: [team] });
