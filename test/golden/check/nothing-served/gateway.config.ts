import { consumer, defineGateway } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

export default defineGateway({ name: 'demo', models: [], consumers: [team] });
