import { consumer, defineGateway, provider } from 'headgate';
import { echo } from './models.ts';

export const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

export default defineGateway({ name: 'demo', models: [echo], consumers: [team] });
