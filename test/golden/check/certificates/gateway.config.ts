import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });

const shop = consumer('shop', {
  certificates: ['URI:spiffe://corp.example/shop', 'DNS:shop.corp.example', 'email:shop@corp.example', 'CN:shop'],
});
const pinned = consumer('pinned', {
  certificates: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
});
const twin = consumer('twin', { certificates: ['DNS:twin.corp.example', 'URI:spiffe://corp.example/shop'] });
const batch = consumer('batch', { certificates: ['DNS:*.batch.corp.example'] });
const colons = consumer('colons', { certificates: ['sha256:A1:A1:A1'] });
const untyped = consumer('untyped', { certificates: ['spiffe://corp.example/untyped'] });
const odd = consumer('odd', {
  certificates: ['URI:spiffe://Corp.example/x', 'URI:spiffe://corp.example/x/', 'email:nobody', 'CN:', 'DNS:Odd.example'],
});
const empty = consumer('empty', { certificates: [] });

export default defineGateway({
  name: 'certificates',
  models: [echo],
  consumers: [shop, pinned, twin, batch, colons, untyped, odd, empty],
});
