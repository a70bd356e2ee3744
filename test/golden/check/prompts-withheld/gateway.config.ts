import { consumer, defineGateway, model, organisation, prompt, provider, team } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8192 } } });
const desk = prompt('desk', { system: 'You help our customers.' });
const store = prompt('store', { system: 'You sell our shoes.' });
const drawer = prompt('drawer', { system: 'You wait.' });
const helper = model('helper', { targets: [sandbox.target('echo')], prompt: desk });
const seller = model('seller', { targets: [sandbox.target('echo')], prompt: store });
const plain = model('plain', { targets: [sandbox.target('echo')] });

const acme = organisation('acme', { prompts: [desk] });
const shop = team('shop', { organisation: acme, prompts: [desk, store] });

export default defineGateway({
  name: 'prompts-withheld',
  models: [helper, seller, plain],
  consumers: [
    consumer('web', {
      keys: [
        {
          hash: 'sha256:3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7',
          models: [seller, plain],
          prompts: [store],
        },
      ],
      team: shop,
      models: [helper, seller],
    }),
    consumer('idle', {
      keys: ['sha256:1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014'],
      models: [seller],
      prompts: [drawer],
    }),
    consumer('mixed', {
      keys: ['sha256:ff0ddb1e2df0e8f4f5a3e4c9f8b7d65a4e3c2b1a09f8e7d6c5b4a3928170615f'],
      prompts: [helper],
    }),
  ],
});
