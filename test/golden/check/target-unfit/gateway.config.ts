import { consumer, contextPolicy, defineGateway, model, ordered, provider, secret, weighted } from 'headgate';

const openai = provider('openai', { kind: 'openai', apiKey: secret('KEY'), models: { 'gpt-4.1': {}, 'gpt-4.1-mini': {}, 'text-embedding-3-small': {} } });
const house = provider('house', {
  kind: 'openai', baseUrl: 'https://models.example.com/v1', apiKey: secret('HOUSE_KEY'),
  models: { plain: { contextWindow: 4_096 }, able: { contextWindow: 8_192, capabilities: ['tools'] } },
});
const long = contextPolicy('long', { kind: 'quantisedCut', target: 6_000 });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const agent = model('agent', {
  needs: ['tools', 'images'],
  targets: [openai.target('gpt-4.1'), house.target('able'), house.target('plain')],
});
const nested = model('nested', {
  needs: ['tools'],
  targets: [
    openai.target('gpt-4.1'),
    weighted(
      { weight: 1, target: house.target('able') },
      { weight: 1, target: ordered(openai.target('gpt-4.1-mini'), house.target('plain')) },
    ),
  ],
});
const search = model('search', { targets: [openai.target('text-embedding-3-small'), openai.target('gpt-4.1')] });
const chat = model('chat', { targets: [openai.target('gpt-4.1'), house.target('plain')], context: long });
export default defineGateway({ name: 'demo', models: [agent, nested, search, chat], consumers: [team] });
