/** What is settled for an answer: the vendor's own usage where it tells it, and an estimate, marked as one, where it does not. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  completion,
  done,
  lastPiece,
  legs,
  piece,
  startEvents,
  startScripted,
  type Script,
} from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';
import { wires } from '../support/upstream-faults.ts';

async function behind(context: TestContext, script: Script, leg: { kind?: string; path?: string } = {}) {
  const upstream = await startScripted(script);
  const gateway = await startGateway(snapshotOf(legs([{ url: upstream.url, timeout: '500ms', ...leg }])));
  context.after(() => Promise.all([gateway.close(), upstream.close()]));
  return { upstream, gateway };
}

const question = 'Tell me in some words what a gateway is good for, and for whom.';
const ask = (gateway: TestGateway, stream: boolean, init: RequestInit = {}) =>
  gateway.post(
    '/v1/chat/completions',
    { model: 'chat', stream, messages: [{ role: 'user', content: question }] },
    init,
  );

interface Settled {
  readonly input: number;
  readonly output: number;
  readonly estimated: number;
}

async function settled(gateway: TestGateway): Promise<Settled> {
  const text = await until('it is settled', async () => {
    const metrics = await gateway.metrics();
    return /^headgate_requests_in_flight 0$/m.test(metrics) && metrics;
  });
  const value = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    input: value(/^headgate_tokens_total\{target="leg1\/m",direction="input"\} (\d+)$/m),
    output: value(/^headgate_tokens_total\{target="leg1\/m",direction="output"\} (\d+)$/m),
    estimated: value(/^headgate_usage_estimated_total\{target="leg1\/m"\} (\d+)$/m),
  };
}

/** About what a tokenizer makes of the question with its role. */
function isAboutTheQuestion(input: number): void {
  assert.ok(input >= 14 && input <= 30, `${input} input tokens`);
}

describe('usage', () => {
  test('that the vendor tells is settled as it is, whole and streamed', async (context) => {
    const { gateway } = await behind(context, answerWell);
    await (await ask(gateway, false)).text();
    assert.deepEqual(await settled(gateway), { input: 3, output: 2, estimated: 0 });
    await (await ask(gateway, true)).text();
    assert.deepEqual(await settled(gateway), { input: 6, output: 4, estimated: 0 });
  });

  test('of a whole answer without any is estimated', async (context) => {
    const { gateway } = await behind(context, ({ response }) =>
      answerJson(response, 200, completion('A gateway is good for everyone who calls models.', { usage: undefined })),
    );
    await (await ask(gateway, false)).text();
    const { input, output, estimated } = await settled(gateway);
    isAboutTheQuestion(input);
    assert.ok(output >= 8 && output <= 20, `${output} output tokens`);
    assert.equal(estimated, 1);
  });

  test('of a stream without any is estimated from all of it', async (context) => {
    const words = Array.from({ length: 50 }, (_, index) => piece(index === 0 ? 'a' : ' gateway')).join('');
    const { gateway } = await behind(context, ({ response }) => {
      startEvents(response);
      response.end(words + lastPiece + done);
    });
    await (await ask(gateway, true)).text();
    const { input, output, estimated } = await settled(gateway);
    isAboutTheQuestion(input);
    assert.ok(output >= 45 && output <= 75, `${output} output tokens`);
    assert.equal(estimated, 1);
  });

  test('of a stream that is cut is what came, on top of what the vendor had told by then', async (context) => {
    const [, wire] = wires;
    const { gateway } = await behind(
      context,
      ({ response }) => {
        startEvents(response);
        response.end((wire?.first ?? '') + (wire?.more ?? '').repeat(20));
      },
      { kind: 'anthropic', path: '' },
    );
    assert.match(await (await ask(gateway, true)).text(), /upstream_broken_answer/);
    const { input, output, estimated } = await settled(gateway);
    assert.equal(input, 3, 'told in its first event');
    assert.ok(output >= 18 && output <= 40, `${output} output tokens`);
    assert.equal(estimated, 1);
  });

  test('of a request that failed before any answer is none', async (context) => {
    for (const status of [429, 500]) {
      const { gateway } = await behind(context, ({ response }) => answerJson(response, status, {}));
      await (await ask(gateway, true)).text();
      assert.deepEqual(await settled(gateway), { input: 0, output: 0, estimated: 0 });
    }
  });
});

describe('a client that leaves', () => {
  /** How long the vendor's connection outlived its client. */
  async function leave(context: TestContext, stream: boolean, script: Script) {
    const { gateway, upstream } = await behind(context, script);
    const client = new AbortController();
    const asked = ask(gateway, stream, { signal: client.signal });
    const heard = asked.then(
      (response) => response.body?.getReader().read(),
      () => undefined,
    );
    heard.catch(() => undefined);
    const { abandoned } = await upstream.request(1);
    await (stream ? heard : undefined);
    const left = performance.now();
    client.abort();
    return { gateway, outlived: (await abandoned) - left };
  }

  test('in the middle of a stream: the vendor is cut off within 100 ms, and what came is settled', async (context) => {
    const times: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const { gateway, outlived } = await leave(context, true, ({ response }) => {
        startEvents(response);
        response.write(piece('Well, a gateway is good for quite a few things, of which one is this.'));
      });
      times.push(outlived);
      const { input, output, estimated } = await settled(gateway);
      isAboutTheQuestion(input);
      assert.ok(output >= 12 && output <= 30, `${output} output tokens`);
      assert.equal(estimated, 1);
    }
    // A busy machine may take its time once, and not always.
    assert.ok(Math.min(...times) < 100, `${times.join(', ')} ms`);
  });

  test('before any answer: what the vendor read is settled', async (context) => {
    const { gateway } = await leave(context, false, () => undefined);
    const { input, output, estimated } = await settled(gateway);
    isAboutTheQuestion(input);
    assert.deepEqual([output, estimated], [0, 1]);
  });
});
