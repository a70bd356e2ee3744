import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const clock = [Date.now(), new Date(), Date(), new Date(0), performance.now()];
const dice = [1, 2].map(Math.random);
const place = process.env['HOME'] ?? 'nowhere';
const id = crypto.randomUUID();
const answer = await fetch('https://example.com');
setTimeout(() => {}, 10);
void [clock, dice, place, id, answer];
export default defineGateway({ name: 'demo', models: [echo], consumers: [team] });
