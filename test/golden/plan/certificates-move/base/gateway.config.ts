import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });

const key = 'sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';
const shop = consumer('shop', { certificates: ['URI:spiffe://corp.example/shop', 'DNS:shop.corp.example'] });
const kiosk = consumer('kiosk', { keys: [key], certificates: ['CN:kiosk', 'URI:spiffe://corp.example/till'] });
const till = consumer('till', { certificates: ['email:till@corp.example'] });
const batch = consumer('batch', { certificates: ['DNS:batch.corp.example'], models: [echo] });

export default defineGateway({ name: 'acme', models: [echo], consumers: [shop, kiosk, till, batch] });
