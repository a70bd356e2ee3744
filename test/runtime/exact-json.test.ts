/** Whole numbers with more digits than a number of JavaScript holds, on their way from clients to vendors and back. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseExact, withDigitsOf, writeExact } from '../../runtime/dialects/exact-json.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import { completion, startScripted, type ScriptedUpstream } from '../support/scripted-upstream.ts';

const long = '1234567890123456789';
const messages = '[{"role":"user","content":"hi"}]';

describe('long numbers', () => {
  test('are written as they were read, wherever they stand', () => {
    for (const text of [`{"a":${long},"b":[${long},-9007199254740993,{"c":1e30}]}`, `[${long}${long}]`, '{"a":"1"}'])
      assert.equal(writeExact(parseExact(text)), text.replace('1e30', '1e+30'));
  });

  test('go along with a copy, and not with a value that was changed since', () => {
    const read = parseExact(`{"a":${long},"b":${long}}`) as { readonly a: number; readonly b: number };
    assert.equal(writeExact({ ...read, b: 1 }), `{"a":${long},"b":1}`);
    assert.equal(writeExact(withDigitsOf(read, { b: read.b })), `{"b":${long}}`);
    assert.deepEqual(Object.keys(read), ['a', 'b']);
    assert.deepEqual(
      parseExact('{"a":12345678901234567000}'),
      { a: 12345678901234567000 },
      'a number that is exact is one',
    );
    const many = `[${long}${',1'.repeat(60_000)}]`;
    assert.equal(writeExact(parseExact(many)), JSON.stringify(JSON.parse(many)), 'nobody waits for a large one');
    assert.throws(() => parseExact(`{"a":${long}`), SyntaxError);
  });
});

describe('through the gateway', () => {
  const called = [{ id: 'c', type: 'function', function: { name: 'find', arguments: `{"id":${long}}` } }];
  let upstream: ScriptedUpstream;
  let gateway: TestGateway;

  before(async () => {
    upstream = await startScripted(({ response }) => {
      const answer = completion('');
      response.writeHead(200, { 'content-type': 'application/json' });
      const choices = [{ index: 0, message: { role: 'assistant', tool_calls: called }, finish_reason: 'tool_calls' }];
      response.end(JSON.stringify({ ...answer, choices }));
    });
    const models = { m: { contextWindow: 8_192 } };
    const providers = {
      openai: { kind: 'openai', options: { baseUrl: `${upstream.url}/v1` }, models },
      deepseek: { kind: 'deepseek', options: { baseUrl: upstream.url }, models },
      anthropic: { kind: 'anthropic', options: { baseUrl: upstream.url }, models },
    };
    const targets = (provider: string) => ({ targets: { kind: 'target' as const, provider, model: 'm' } });
    const names = Object.keys(providers);
    gateway = await startGateway(
      snapshotOf({ providers, models: Object.fromEntries(names.map((name) => [name, targets(name)])) }),
    );
  });
  after(() => Promise.all([gateway.close(), upstream.close()]));

  async function sent(path: string, body: string): Promise<{ readonly body: string; readonly answer: string }> {
    const response = await gateway.post(path, undefined, { body });
    return { answer: await response.text(), body: upstream.received.at(-1)?.body ?? '' };
  }

  test('a seed of 64 bits reaches the vendor whole, also one with ways of its own', async () => {
    for (const model of ['openai', 'deepseek']) {
      const { body } = await sent('/v1/chat/completions', `{"model":"${model}","seed":${long},"messages":${messages}}`);
      assert.equal(body, `{"model":"m","seed":${long},"messages":${messages}}`);
    }
  });

  const spoken = `[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"find","input":{"id":${long}}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"ok"}]}]`;

  test('what an earlier call was given stays as it was, untouched and translated', async () => {
    const ask = (model: string) => sent('/v1/messages', `{"model":"${model}","max_tokens":9,"messages":${spoken}}`);
    assert.equal((await ask('anthropic')).body, `{"model":"m","max_tokens":9,"messages":${spoken}}`);
    const { body, answer } = await ask('openai');
    assert.ok(body.includes(JSON.stringify(`{"id":${long}}`)), body);
    assert.ok(answer.includes(`"input":{"id":${long}}`), answer);
    const history = JSON.stringify([
      { role: 'user', content: 'hi' },
      { role: 'assistant', tool_calls: called },
    ]);
    const other = await sent('/v1/chat/completions', `{"model":"anthropic","messages":${history}}`);
    assert.ok(other.body.includes(`"input":{"id":${long}}`), other.body);
  });
});
