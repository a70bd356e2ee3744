import { consumer, defineGateway, model, prompt, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const tiny = provider('tiny', { kind: 'sandbox', models: { nano: { contextWindow: 20 } } });
const house = prompt('house', {
  system: 'You work for a bookshop. Be brief, be polite, never promise a date of delivery, and say so when you do not know.',
});
const chat = model('chat', { targets: [tiny.target('nano')], prompt: house });

export default defineGateway({ name: 'demo', models: [echo, chat], consumers: [team] });
