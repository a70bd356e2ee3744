import { consumer, defineGateway, model, organisation, provider, quota, team } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8192 } } });
const small = model('small', { targets: [sandbox.target('echo')] });
const large = model('large', { targets: [sandbox.target('echo')] });

const monthly = quota('monthly', { unit: 'requests', limit: 1000, window: { calendar: 'month' } });
const perTeam = quota('per-team', { unit: 'requests', limit: 500, window: '1h' });

const acme = organisation('acme', { models: [small], quotas: [monthly] });
const shop = team('shop', { organisation: acme, models: [small, large], quotas: [perTeam] });

export default defineGateway({
  name: 'teams',
  models: [small, large],
  access: 'declared',
  consumers: [
    consumer('web', {
      keys: ['sha256:3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7'],
      team: shop,
      organisation: acme,
      models: [large],
      quotas: [monthly],
    }),
    consumer('batch', {
      keys: [
        {
          hash: 'sha256:ff0ddb1e2df0e8f4f5a3e4c9f8b7d65a4e3c2b1a09f8e7d6c5b4a3928170615f',
          expires: '2027-02-30',
          addresses: ['10.0.0.0/33'],
        },
      ],
      models: [small],
    }),
    consumer('idle', {
      keys: [{ hash: 'sha256:1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014', owner: 'ada@acme.example' }],
    }),
  ],
});
