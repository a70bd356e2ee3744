import { claim, consumer, defineGateway, issuer, model, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });

const corp = issuer('corp', { url: 'https://login.corp.example', audience: ['headgate'] });
const again = issuer('again', { url: 'https://login.corp.example', audience: ['payroll'] });
const plain = issuer('plain', {
  url: 'http://login.corp.example',
  audience: ['headgate'],
  algorithms: ['HS256'],
  clockSkew: '1h',
});

export default defineGateway({
  name: 'tokens',
  models: [echo],
  consumers: [
    consumer('shop', { jwt: [{ issuer: corp, where: [claim('groups').includes('shop')] }] }),
    consumer('everyone', { jwt: [{ issuer: corp }] }),
    consumer('payroll', { jwt: [{ issuer: again, where: [claim('realm', 'roles').is('payroll')] }] }),
    consumer('wrong', { jwt: [{ issuer: echo, where: [{ claim: ['sub'], equals: ['x'] }] }, { issuer: plain }] }),
  ],
});
