/** Fallback, retries and their limits: everything before the client's first byte may be tried again, nothing after it. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import OpenAI from 'openai';
import { snapshotOf, startGateway, testKey } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  collect,
  completion,
  deadUrl,
  done,
  lastPiece,
  legs,
  piece,
  sse,
  startEvents,
  startScripted,
  type Received,
  type Script,
} from '../support/scripted-upstream.ts';

const params = { model: 'chat', messages: [{ role: 'user' as const, content: 'hello' }] };

type LegOptions = Omit<Parameters<typeof legs>[0][number], 'url'>;

/** A gateway in front of `first` and of a second target that always answers well, and an SDK in front of it. */
async function pair(context: TestContext, first: Script, options: LegOptions = {}) {
  const one = await startScripted(first);
  const two = await startScripted((received) => answerWell(received, 'from the second'));
  const gateway = await startGateway(
    snapshotOf(legs([{ url: one.url, timeout: '200ms', path: '/v1', ...options }, { url: two.url }])),
  );
  context.after(async () => {
    await gateway.close();
    await Promise.all([one.close(), two.close()]);
  });
  return { client: sdk(gateway.dataUrl), one, two, gateway };
}

const sdk = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: testKey, maxRetries: 0 });
const textOf = (chunks: readonly OpenAI.ChatCompletionChunk[]) =>
  chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');

/** Ends the connection without ending the answer. */
const cut = ({ response }: Received) => response.socket?.destroy();
const events = ({ response }: Received, text: string, end = true) => {
  startEvents(response);
  if (end) response.end(text);
  else response.write(text);
};

const failures: Readonly<Record<string, Script>> = {
  'says 503': ({ response }) => answerJson(response, 503, { error: { message: 'busy' } }),
  'says 429': ({ response }) => answerJson(response, 429, {}),
  'refuses our key': ({ response }) => answerJson(response, 401, {}),
  'says 500 with a body that is no JSON': ({ response }) => answerJson(response, 500, '<html>'),
  'resets the connection': (received) => void cut(received),
  'never answers': () => undefined,
  'stops in the middle of the head': ({ response }) => {
    response.socket?.write('HTTP/1.1 200 OK\r\ncontent-ty');
    response.socket?.end();
  },
  'speaks no HTTP': ({ response }) => void response.socket?.end('hello?\r\n\r\n'),
};

const unaryFailures: Readonly<Record<string, Script>> = {
  'says 200 with garbage': ({ response }) => answerJson(response, 200, '<html>It works!</html>'),
  'says 200 with JSON that is no answer': ({ response }) => answerJson(response, 200, '[]'),
  'says 200 with an error inside': ({ response }) => answerJson(response, 200, { error: { message: 'no', code: 502 } }),
  'says 200 with another kind of object': ({ response }) => answerJson(response, 200, { choices: [] }),
  'stops in the middle of the body': (received) => {
    received.response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    received.response.write('{"id":', () => cut(received));
  },
  'stalls in the middle of the body': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"id":');
  },
};

const streamFailures: Readonly<Record<string, Script>> = {
  'streams garbage': (received) => events(received, '<html>It works!</html>'),
  'streams an event that is no JSON': (received) => events(received, sse('{"choices":[')),
  'ends before it says anything': (received) => events(received, ': hello\n\n'),
  'says who it is and then dies': (received) => {
    startEvents(received.response);
    const start = sse({ id: 'c', choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] });
    received.response.write(start, () => cut(received));
  },
  'says it is done and nothing else': (received) => events(received, done),
  'says it is done, nothing else, and stays': (received) => events(received, done, false),
  'opens with an error event': (received) =>
    events(received, sse({ error: { message: 'overloaded', type: 'server_error' } })),
  'stalls after its head': (received) => events(received, ': hello\n\n', false),
  'answers a stream with one JSON body': ({ response }) => answerJson(response, 200, completion('whole')),
};

describe('before the first byte', () => {
  for (const [what, script] of Object.entries({ ...failures, ...unaryFailures })) {
    test(`a first target that ${what} is replaced by the second`, async (context) => {
      const { client, one } = await pair(context, script);
      const { data, response } = await client.chat.completions.create(params).withResponse();
      assert.equal(data.choices[0]?.message.content, 'from the second');
      assert.equal(response.headers.get('headgate-attempts'), '2');
      assert.equal(response.headers.get('headgate-target'), 'leg2/m');
      assert.equal(one.received.length, 1);
    });
  }

  for (const [what, script] of Object.entries({ ...failures, ...streamFailures })) {
    test(`a first target that ${what} is replaced by the second in a stream`, async (context) => {
      const { client } = await pair(context, script);
      const { data, response } = await client.chat.completions.create({ ...params, stream: true }).withResponse();
      assert.equal(textOf(await collect(data)), 'from the second');
      assert.equal(response.headers.get('headgate-attempts'), '2');
    });
  }

  test('a first target that nobody listens at is replaced by the second', async (context) => {
    const two = await startScripted((received) => answerWell(received, 'from the second'));
    const gateway = await startGateway(snapshotOf(legs([{ url: await deadUrl() }, { url: two.url }])));
    context.after(() => Promise.all([gateway.close(), two.close()]));
    const { data, response } = await sdk(gateway.dataUrl).chat.completions.create(params).withResponse();
    assert.equal(data.choices[0]?.message.content, 'from the second');
    assert.equal(response.headers.get('headgate-attempts'), '2');
  });

  test('a target of another dialect can take over, whole and streamed', async (context) => {
    const one = await startScripted(({ response }) => answerJson(response, 529, { type: 'error' }));
    const two = await startScripted((received) => answerWell(received, 'from the second'));
    const gateway = await startGateway(
      snapshotOf(legs([{ url: one.url, kind: 'anthropic', path: '' }, { url: two.url }])),
    );
    context.after(() => Promise.all([gateway.close(), one.close(), two.close()]));
    const client = sdk(gateway.dataUrl);
    assert.equal((await client.chat.completions.create(params)).choices[0]?.message.content, 'from the second');
    assert.equal(one.received[0]?.path, '/v1/messages');
    assert.equal(one.received[0]?.json['max_tokens'], 4096);
    assert.equal(
      textOf(await collect(await client.chat.completions.create({ ...params, stream: true }))),
      'from the second',
    );
  });

  test('a request that the vendor finds wrong goes nowhere else', async (context) => {
    const refuse: Script = ({ response }) => answerJson(response, 400, { error: { param: 'messages', message: 'x' } });
    const { client, one, two } = await pair(context, refuse, { retries: 3 });
    const error = await client.chat.completions.create(params).catch((reason: unknown) => reason);
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.deepEqual([error.code, error.param], ['upstream_rejected_request', 'messages']);
    assert.equal(error.headers.get('headgate-attempts'), '1');
    assert.deepEqual([one.received.length, two.received.length], [1, 0]);
  });

  test('the same target is asked again as often as it has retries, after a pause', async (context) => {
    const third: Script = (received) =>
      received.number < 3 ? answerJson(received.response, 503, {}) : answerWell(received, 'at last');
    const { client, one, two } = await pair(context, third, { retries: 2 });
    const { data, response } = await client.chat.completions.create(params).withResponse();
    assert.equal(data.choices[0]?.message.content, 'at last');
    assert.equal(response.headers.get('headgate-attempts'), '3');
    assert.deepEqual([one.received.length, two.received.length], [3, 0]);
    assert.equal(one.connections, 1, 'a failed answer that was read to its end keeps its connection');
  });

  test('a rate limited or silent target is not asked again', async (context) => {
    const { client, one } = await pair(context, ({ response }) => answerJson(response, 429, {}), { retries: 3 });
    await client.chat.completions.create(params);
    assert.equal(one.received.length, 1);
  });
});

describe('after the first byte', () => {
  const midStream: Readonly<Record<string, readonly [Script, string]>> = {
    'a cut': [
      (received) => {
        startEvents(received.response);
        received.response.write(piece('half '), () => cut(received));
      },
      'upstream_broken_answer',
    ],
    'an early end': [(received) => events(received, piece('half ')), 'upstream_broken_answer'],
    'an end within an event': [
      (received) => events(received, piece('half ') + 'data: {"cho'),
      'upstream_broken_answer',
    ],
    'an end mark that is cut': [
      (received) => events(received, `${piece('half ')}data: [DON`),
      'upstream_broken_answer',
    ],
    garbage: [(received) => events(received, `${piece('half ')}data: <html>\n\n${done}`), 'upstream_broken_answer'],
    'an error event': [
      (received) => events(received, piece('half ') + sse({ error: { message: 'sk-PLANTED', code: 500 } })),
      'upstream_broken_answer',
    ],
    silence: [(received) => events(received, piece('half '), false), 'upstream_timeout'],
  };

  for (const [what, [script, code]] of Object.entries(midStream)) {
    test(`${what} ends the stream with a typed error event and no end mark`, async (context) => {
      const { client, gateway, two } = await pair(context, script);
      const heard: string[] = [];
      const listen = async () => {
        for await (const chunk of await client.chat.completions.create({ ...params, stream: true })) {
          heard.push(chunk.choices[0]?.delta.content ?? '');
        }
      };
      const error = await listen().then(
        () => assert.fail('the SDK took it for a whole answer'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof OpenAI.APIError);
      assert.equal(error.code, code);
      assert.deepEqual(heard, ['half ']);
      assert.equal(two.received.length, 0, 'the second target was asked after the first byte');

      const text = await (await gateway.post('/v1/chat/completions', { ...params, stream: true })).text();
      assert.ok(text.startsWith(piece('half ')));
      assert.ok(!text.includes('[DONE]') && !text.includes('PLANTED') && !text.includes('<html>'), text);
      const last = JSON.parse(text.trimEnd().split('\n\n').at(-1)?.replace('data: ', '') ?? '') as object;
      assert.ok('error' in last);
    });
  }

  test('what happens behind the end mark no longer matters', async (context) => {
    for (const close of [cut, () => undefined]) {
      const { gateway } = await pair(context, (received) => {
        startEvents(received.response);
        received.response.write(piece('all') + lastPiece + done, () => setTimeout(close, 20, received));
      });
      const started = performance.now();
      const text = await (await gateway.post('/v1/chat/completions', { ...params, stream: true })).text();
      assert.equal(text, piece('all') + lastPiece + done);
      assert.ok(performance.now() - started < 700, 'the client waited for a vendor that kept its side open');
    }
  });

  test('an end mark without its blank line is one', async (context) => {
    const { gateway } = await pair(context, (received) => events(received, `${piece('all')}${lastPiece}data: [DONE]`));
    const text = await (await gateway.post('/v1/chat/completions', { ...params, stream: true })).text();
    assert.equal(text, piece('all') + lastPiece + done);
  });

  test('a stream that was read to its end keeps its connection, also when the end of the body comes later', async (context) => {
    const { client, one } = await pair(context, ({ response }) => {
      startEvents(response);
      response.write(piece('all') + lastPiece + done);
      setTimeout(() => response.end(), 30);
    });
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal(textOf(await collect(await client.chat.completions.create({ ...params, stream: true }))), 'all');
      await new Promise((resolve) => one.received.at(-1)?.response.once('close', resolve));
    }
    assert.equal(one.connections, 1);
  });
});
