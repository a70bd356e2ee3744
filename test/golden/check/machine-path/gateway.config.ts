import { consumer, defineGateway, model, prompt, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const here = prompt('here', { system: `You live in ${(import.meta as unknown as { dirname: string }).dirname}` });
const local = model('local', { targets: [sandbox.target('echo')], prompt: here });
export default defineGateway({ name: 'demo', models: [echo, local], consumers: [team] });
