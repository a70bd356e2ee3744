import { consumer, defineGateway, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });

export default defineGateway({
  name: 'certificates',
  models: [echo],
  consumers: [
    consumer('shop', {
      certificates: ['URI:spiffe://corp.example/shop', 'DNS:shop.corp.example', 'email:shop@corp.example', 'CN:shop'],
    }),
    consumer('pinned', {
      certificates: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
    }),
    consumer('twin', { certificates: ['DNS:twin.corp.example', 'URI:spiffe://corp.example/shop'] }),
    consumer('untyped', { certificates: ['spiffe://corp.example/untyped'] }),
    consumer('colons', { certificates: ['sha256:A1:A1:A1'] }),
    consumer('wildcard', {
      certificates: [
        'DNS:*.corp.example',
        'DNS:Shop.corp.example',
        'URI:spiffe://Corp.example/x',
        'URI:spiffe://corp.example/x/',
        'email:nobody',
        'CN:',
      ],
    }),
    consumer('empty', { certificates: [] }),
  ],
});
