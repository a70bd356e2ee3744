import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });

const key = 'sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';
const shop = consumer('shop', { certificates: ['URI:spiffe://corp.example/shop', 'URI:spiffe://corp.example/shop-2'] });
const kiosk = consumer('kiosk', { certificates: ['CN:kiosk'] });
const till = consumer('till', { keys: [key], certificates: ['URI:spiffe://corp.example/till'] });
const night = consumer('night', { certificates: ['DNS:night.corp.example'], models: [] });

export default defineGateway({ name: 'acme', models: [echo], consumers: [shop, kiosk, till, night] });
