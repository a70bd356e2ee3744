/** The next move after each class of failure: which key, which target, how long to wait, and when to give up. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  completion,
  deadUrl,
  piece,
  startEvents,
  startScripted,
  type Received,
  type Script,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';

const secrets = { FIRST_KEY: 'sk-first-PLANTED', SECOND_KEY: 'sk-second-PLANTED', THIRD_KEY: 'sk-third-PLANTED' };
interface Leg {
  readonly script: Script;
  readonly keys?: readonly (keyof typeof secrets)[];
  readonly timeout?: `${number}ms`;
  readonly retries?: number;
  readonly contextWindow?: number;
  readonly maxConcurrency?: number;
}

interface Options {
  readonly model?: Partial<SnapshotInput['models'][string]>;
  readonly firstTokenTimeout?: `${number}ms`;
}

/** A model, and what stands behind it. */
interface Scene {
  readonly name: string;
  readonly legs: readonly Leg[];
  readonly options: Options;
  readonly upstreams: ScriptedUpstream[];
}

const scenes: Scene[] = [];
let gateway: TestGateway;

/** A model that tries these targets in order, in the one gateway that serves all. */
function scene(all: readonly Leg[], options: Options = {}): Scene {
  const made = { name: `scene${scenes.length + 1}`, legs: all, options, upstreams: [] };
  scenes.push(made);
  return made;
}

const labelOf = ({ name }: Scene, leg = 1): string => `${name}-leg${leg}/m`;

async function stage({ name, legs, options, upstreams }: Scene) {
  upstreams.push(...(await Promise.all(legs.map(({ script }) => startScripted(script)))));
  const of = legs.map(({ timeout, retries, maxConcurrency }, index) => ({
    node: {
      kind: 'target' as const,
      provider: `${name}-leg${index + 1}`,
      model: 'm',
      ...(timeout && { timeout }),
      ...(retries && { retries }),
      ...(maxConcurrency && { maxConcurrency }),
      ...(index === 0 && options.firstTokenTimeout && { firstTokenTimeout: options.firstTokenTimeout }),
    },
  }));
  const providers = legs.map(({ keys, contextWindow = 8_192 }, index) => [
    `${name}-leg${index + 1}`,
    {
      kind: 'openai',
      options: {
        baseUrl: `${upstreams[index]?.url}/v1`,
        ...(keys && { apiKeys: keys.map(($secret) => ({ $secret })) }),
      },
      models: { m: { contextWindow } },
    },
  ]);
  const model = { targets: { kind: 'group' as const, balance: 'ordered', of }, ...options.model };
  return { providers, model: [name, model] };
}

const namesakes = { url: '', other: undefined as ScriptedUpstream | undefined };

/** One place under two names, each the first of a model of its own. */
async function stageNamesakes() {
  namesakes.url = await deadUrl();
  namesakes.other = await startScripted(well);
  const target = (provider: string) => ({ kind: 'target' as const, provider, model: 'm' });
  const provider = (origin: string) => ({
    kind: 'openai',
    options: { baseUrl: `${origin}/v1` },
    models: { m: { contextWindow: 8_192 } },
  });
  const model = (first: string) => ({
    targets: { kind: 'group' as const, balance: 'ordered', of: [{ node: target(first) }, { node: target('other') }] },
  });
  return {
    providers: {
      one: provider(namesakes.url),
      namesake: provider(namesakes.url),
      other: provider(namesakes.other.url),
    },
    models: { chat: model('one'), draft: model('namesake') },
  };
}

const ask = (model: Scene | string, more: object = {}, init: RequestInit = {}) => {
  const name = typeof model === 'string' ? model : model.name;
  const messages = [{ role: 'user', content: 'hello there' }];
  return gateway.post('/v1/chat/completions', { model: name, messages, ...more }, init);
};

async function heard(response: Response) {
  const { error, choices } = (await response.json()) as {
    error?: { code: string };
    choices?: { message: { content: string } }[];
  };
  return [response.status, error?.code ?? choices?.[0]?.message.content];
}

const keyOf = ({ headers }: Received) => headers.authorization?.replace(/^Bearer sk-|-PLANTED$/g, '');
const says =
  (status: number, body: object = {}, headers: object = {}): Script =>
  ({ response }) =>
    answerJson(response, status, body, headers);
const well: Script = (received) => answerWell(received, 'from the second');
const metric = async (pattern: RegExp) => Number(pattern.exec(await gateway.metrics())?.[1] ?? 0);

/** A test whose targets stand before the gateway does. */
const staged = (name: string, prepare: () => () => Promise<void>): void => void test(name, prepare());

describe('after a failure', () => {
  before(async () => {
    Object.assign(process.env, secrets);
    const staged = await Promise.all(scenes.map(stage));
    const twins = await stageNamesakes();
    gateway = await startGateway(
      snapshotOf({
        providers: { ...twins.providers, ...Object.fromEntries(staged.flatMap(({ providers }) => providers)) },
        models: { ...twins.models, ...Object.fromEntries(staged.map(({ model }) => model)) },
      }),
    );
  });
  after(async () => {
    await gateway.close();
    await Promise.all([
      namesakes.other?.close(),
      ...scenes.flatMap(({ upstreams }) => upstreams.map((each) => each.close())),
    ]);
    for (const name of Object.keys(secrets)) delete process.env[name];
  });

  describe('several keys', () => {
    staged('are used in turn', () => {
      const on = scene([{ script: answerWell, keys: ['FIRST_KEY', 'SECOND_KEY', 'THIRD_KEY'] }]);
      return async () => {
        for (let turn = 0; turn < 6; turn += 1) assert.equal((await ask(on)).status, 200);
        assert.deepEqual(on.upstreams[0]?.received.map(keyOf), [
          'first',
          'second',
          'third',
          'first',
          'second',
          'third',
        ]);
      };
    });

    for (const status of [401, 403])
      staged(`and one is refused with ${status}: the next one serves the request, and the refused one rests`, () => {
        const script: Script = (received) =>
          keyOf(received) === 'first' ? says(status)(received) : answerWell(received, 'with the second key');
        const on = scene([{ script, keys: ['FIRST_KEY', 'SECOND_KEY'] }, { script: well }]);
        return async () => {
          const response = await ask(on);
          assert.equal(response.headers.get('headgate-attempts'), '2');
          assert.deepEqual(await heard(response), [200, 'with the second key']);
          for (let turn = 0; turn < 3; turn += 1) assert.equal((await ask(on)).headers.get('headgate-attempts'), '1');
          assert.deepEqual(on.upstreams[0]?.received.map(keyOf), ['first', 'second', 'second', 'second', 'second']);
          assert.equal(on.upstreams[1]?.received.length, 0);
          assert.ok(!(await gateway.metrics()).includes('PLANTED'));
          assert.ok(!JSON.stringify(await gateway.status()).includes('PLANTED'));
        };
      });

    staged(
      'that are all refused: the next target serves, and the provider is asked again each time so that it shows',
      () => {
        const on = scene([{ script: says(401), keys: ['FIRST_KEY', 'SECOND_KEY'] }, { script: well }]);
        return async () => {
          for (const attempts of ['3', '2', '2']) {
            const response = await ask(on);
            assert.deepEqual(await heard(response), [200, 'from the second']);
            assert.equal(response.headers.get('headgate-attempts'), attempts);
          }
          assert.deepEqual(on.upstreams[0]?.received.map(keyOf).toSorted(), ['first', 'first', 'second', 'second']);
        };
      },
    );

    staged('of which one is rate limited: it rests as long as the vendor says', () => {
      const script: Script = (received) =>
        keyOf(received) === 'first' && received.number === 1
          ? says(429, {}, { 'retry-after-ms': '300' })(received)
          : answerWell(received);
      const on = scene([{ script, keys: ['FIRST_KEY', 'SECOND_KEY'] }]);
      return async () => {
        await ask(on);
        await ask(on);
        assert.deepEqual(on.upstreams[0]?.received.map(keyOf), ['first', 'second', 'second']);
        await until('the first key is used again', async () => {
          await ask(on);
          return keyOf(on.upstreams[0]?.received.at(-1) as Received) === 'first';
        });
      };
    });
  });

  describe('a rate limit', () => {
    const limited = says(429, {}, { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '5m0s' });

    staged('sends requests to the next target, and passes the limited one over until its reset', () => {
      const on = scene([{ script: limited }, { script: well }]);
      return async () => {
        assert.equal((await ask(on)).headers.get('headgate-attempts'), '2');
        for (let turn = 0; turn < 3; turn += 1) assert.equal((await ask(on)).headers.get('headgate-attempts'), '1');
        assert.deepEqual(
          on.upstreams.map(({ received }) => received.length),
          [1, 4],
        );
      };
    });

    staged('that an answer was the last of is not run into', () => {
      const headers = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m0s' };
      const last: Script = ({ response }) => answerJson(response, 200, completion('the last'), headers);
      const on = scene([{ script: last }, { script: well }]);
      return async () => {
        assert.deepEqual(await heard(await ask(on)), [200, 'the last']);
        assert.deepEqual(await heard(await ask(on)), [200, 'from the second']);
        assert.equal(on.upstreams[0]?.received.length, 1);
      };
    });

    staged('of the only target is told to the client with the vendor’s reset', () => {
      const on = scene([{ script: limited, retries: 2 }], { model: { deadline: '2s' } });
      return async () => {
        const response = await ask(on);
        assert.equal(response.headers.get('retry-after'), '300');
        assert.deepEqual(await heard(response), [429, 'upstream_rate_limited']);
      };
    });

    staged('is waited for as told where nothing else is there and the deadline allows it', () => {
      const script: Script = (received) =>
        received.number === 1 ? says(429, {}, { 'retry-after-ms': '250' })(received) : answerWell(received, 'at last');
      const on = scene([{ script, retries: 1 }]);
      return async () => {
        const started = performance.now();
        assert.deepEqual(await heard(await ask(on)), [200, 'at last']);
        assert.ok(performance.now() - started >= 245);
        assert.equal(on.upstreams[0]?.received.length, 2);
      };
    });

    staged('is not waited for beyond the deadline, nor by a target without retries', () => {
      const script = says(429, {}, { 'retry-after': '1' });
      const late = scene([{ script, retries: 3 }], { model: { deadline: '500ms' } });
      const never = scene([{ script }]);
      return async () => {
        for (const on of [late, never]) {
          const started = performance.now();
          assert.deepEqual(await heard(await ask(on)), [429, 'upstream_rate_limited']);
          assert.ok(performance.now() - started < 450);
          assert.equal(on.upstreams[0]?.received.length, 1);
        }
      };
    });
  });

  describe('an overloaded target', () => {
    staged('that says when to come back is not asked before', () => {
      const script: Script = (received) =>
        received.number === 1 ? says(503, {}, { 'retry-after-ms': '300' })(received) : answerWell(received);
      const on = scene([{ script, retries: 1 }, { script: well }]);
      return async () => {
        const started = performance.now();
        assert.equal((await ask(on)).headers.get('headgate-target'), labelOf(on));
        assert.ok(performance.now() - started >= 295);
      };
    });

    staged('that says to come back in a minute is left for the next one at once', () => {
      const on = scene([{ script: says(503, {}, { 'retry-after': '60' }), retries: 3 }, { script: well }]);
      return async () => {
        assert.equal((await ask(on)).headers.get('headgate-target'), labelOf(on, 2));
        assert.equal(on.upstreams[0]?.received.length, 1);
      };
    });

    staged('gets no more retries than its budget, however many requests fail', () => {
      const on = scene([{ script: says(503), retries: 5 }]);
      return async () => {
        const answers = await Promise.all(Array.from({ length: 30 }, () => ask(on)));
        assert.ok(answers.every(({ status }) => status === 502));
        assert.equal(on.upstreams[0]?.received.length, 40, 'thirty requests and ten retries');
        assert.ok(
          (await metric(
            new RegExp(`^headgate_upstream_retries_denied_total\\{target="${labelOf(on)}"\\} (\\d+)$`, 'm'),
          )) > 0,
        );
      };
    });
  });

  describe('a target with room for one', () => {
    const slow: Script = (received) => void setTimeout(() => answerWell(received, 'from the first'), 60);

    staged('leaves the others to the next target', () => {
      const on = scene([{ script: slow, maxConcurrency: 1 }, { script: well }]);
      return async () => {
        const answers = await Promise.all(Array.from({ length: 4 }, () => ask(on)));
        assert.deepEqual(answers.map((each) => String(each.headers.get('headgate-target'))).toSorted(), [
          labelOf(on),
          labelOf(on, 2),
          labelOf(on, 2),
          labelOf(on, 2),
        ]);
      };
    });

    staged('has its place back once it is given up, however long the request lasts elsewhere', () => {
      // Four fail and are not tried again; the fifth opens the breaker, and is, after a pause that is shorter than the breaker's.
      const first: Script = (received) => {
        if (received.number > 5) return answerWell(received, 'from the first');
        return says(503, {}, received.number < 5 ? { 'retry-after': '60' } : {})(received);
      };
      const second: Script = (received) => {
        if (received.number !== 5) return answerWell(received, 'from the second');
        startEvents(received.response);
        received.response.write(piece('from the second'));
      };
      const on = scene([{ script: first, maxConcurrency: 1, retries: 1 }, { script: second }]);
      return async () => {
        const leaving = new AbortController();
        for (let count = 0; count < 4; count += 1) await (await ask(on)).text();
        try {
          const lasting = await ask(on, { stream: true }, { signal: leaving.signal });
          assert.equal(lasting.headers.get('headgate-target'), labelOf(on, 2));
          await until('the first is asked again', async () => {
            const later = await ask(on);
            await later.text();
            return later.headers.get('headgate-target') === labelOf(on);
          });
        } finally {
          leaving.abort();
        }
      };
    });

    staged('has them wait where no other is left, one after the other, streams to their end', () => {
      let inside = 0;
      let most = 0;
      const one: Script = (received) => {
        inside += 1;
        most = Math.max(most, inside);
        received.response.once('finish', () => (inside -= 1));
        return slow(received);
      };
      const on = scene([{ script: one, maxConcurrency: 1 }]);
      return async () => {
        const asked = Array.from({ length: 5 }, (_, index) => ask(on, { stream: index % 2 === 0 }));
        for (const answer of await Promise.all(asked)) assert.match(await answer.text(), /from the first/);
        assert.equal(most, 1);
      };
    });

    staged('refuses who comes when too many wait, and forgets who waited for longer than the deadline', () => {
      const on = scene([{ script: () => undefined, maxConcurrency: 1 }], { model: { deadline: '400ms' } });
      return async () => {
        const all = await Promise.all(Array.from({ length: 20 }, async () => heard(await ask(on))));
        const told = (code: string) => all.filter((each) => each[1] === code);
        assert.deepEqual([told('upstream_busy').length, told('upstream_timeout').length], [3, 17]);
        assert.equal(told('upstream_busy')[0]?.[0], 503);
        assert.equal(
          await metric(new RegExp(`^headgate_upstream_waiting\\{target="${labelOf(on)}"\\} (\\d)$`, 'm')),
          0,
        );
      };
    });
  });

  describe('a model that hedges', () => {
    const hedge = { model: { hedge: '80ms' as const } };
    const after =
      (ms: number, script: Script): Script =>
      (received) =>
        void setTimeout(() => void script(received), ms);
    const targetOf = (answer: Response) => answer.headers.get('headgate-target');

    staged(
      'asks the next target beside one that takes its time, serves who begins first and cuts the other off',
      () => {
        const on = scene([{ script: () => undefined }, { script: well }], hedge);
        return async () => {
          for (const stream of [false, true]) {
            const answer = await ask(on, { stream });
            assert.deepEqual([targetOf(answer), answer.headers.get('headgate-attempts')], [labelOf(on, 2), '2']);
            assert.match(await answer.text(), /from the second/);
            await on.upstreams[0]?.received.at(-1)?.abandoned;
          }
          const label = `target="${labelOf(on)}"`;
          const read = new RegExp(`^headgate_tokens_total\\{${label},direction="input"\\} (\\d+)$`, 'm');
          await until('what the other one read is counted', async () => (await metric(read)) > 0);
        };
      },
    );

    staged('asks nobody else when the first one is quick', () => {
      const on = scene([{ script: answerWell }, { script: well }], hedge);
      return async () => {
        assert.equal(targetOf(await ask(on)), labelOf(on));
        assert.equal(on.upstreams[1]?.received.length, 0);
      };
    });

    staged('waits for the slow one when the other fails', () => {
      const on = scene([{ script: after(300, answerWell) }, { script: says(500) }], hedge);
      return async () => {
        assert.equal(targetOf(await ask(on)), labelOf(on));
        assert.equal(on.upstreams[1]?.received.length, 1);
      };
    });

    staged('ends both when one finds the request wrong, and when the client leaves', () => {
      const on = scene([{ script: () => undefined }, { script: says(400) }], hedge);
      const hanging = scene([{ script: () => undefined }, { script: () => undefined }], hedge);
      return async () => {
        assert.deepEqual(await heard(await ask(on)), [400, 'upstream_rejected_request']);
        await on.upstreams[0]?.received[0]?.abandoned;
        const client = new AbortController();
        const asked = ask(hanging, {}, { signal: client.signal });
        asked.catch(() => undefined);
        await hanging.upstreams[1]?.request(1);
        client.abort();
        for (const upstream of hanging.upstreams) await upstream.received[0]?.abandoned;
        await assert.rejects(asked);
      };
    });

    staged('tries them one by one once its budget of retries is used up', () => {
      const on = scene([{ script: after(200, answerWell) }, { script: well }], hedge);
      return async () => {
        const answers = await Promise.all(Array.from({ length: 30 }, () => ask(on)));
        const second = answers.filter((each) => targetOf(each) === labelOf(on, 2)).length;
        assert.ok(answers.every(({ status }) => status === 200));
        assert.equal(second, 10);
      };
    });
  });

  describe('a conversation that is too long', () => {
    const tooLong = says(400, { error: { code: 'context_length_exceeded', message: 'x' } });

    staged('goes to the next target with a larger window, past those with the same or a smaller one', () => {
      const on = scene([
        { script: tooLong, contextWindow: 8_000 },
        { script: tooLong, contextWindow: 8_000 },
        { script: tooLong, contextWindow: 4_000 },
        { script: well, contextWindow: 16_000 },
      ]);
      return async () => {
        const response = await ask(on);
        assert.equal(response.headers.get('headgate-target'), labelOf(on, 4));
        assert.deepEqual(
          on.upstreams.map(({ received }) => received.length),
          [1, 0, 0, 1],
        );
      };
    });

    staged('is refused where no window is larger', () => {
      const on = scene([{ script: tooLong, retries: 2 }, { script: well }]);
      return async () => {
        assert.deepEqual(await heard(await ask(on)), [400, 'context_length_exceeded']);
        assert.equal(on.upstreams[1]?.received.length, 0);
      };
    });
  });

  staged('content that is refused goes nowhere else, whatever retries and keys there are', () => {
    const script = says(400, { error: { code: 'content_policy_violation' } });
    const on = scene([{ script, retries: 3, keys: ['FIRST_KEY', 'SECOND_KEY'] }, { script: well }]);
    return async () => {
      assert.deepEqual(await heard(await ask(on)), [422, 'upstream_content_refused']);
      assert.deepEqual(
        on.upstreams.map(({ received }) => received.length),
        [1, 0],
      );
    };
  });

  describe('a deadline', () => {
    staged('ends a request that hangs, with 504 and its length', () => {
      const on = scene([{ script: () => undefined }], { model: { deadline: '250ms' } });
      return async () => {
        const started = performance.now();
        const response = await ask(on);
        const { error } = (await response.json()) as { error: { code: string; message: string } };
        assert.deepEqual([response.status, error.code], [504, 'upstream_timeout']);
        assert.match(error.message, /deadline of 250 ms/);
        assert.ok(performance.now() - started < 1_500);
      };
    });

    staged('covers retries and the pauses between them', () => {
      const script = says(503, {}, { 'retry-after-ms': '200' });
      const on = scene([{ script, retries: 5 }], { model: { deadline: '500ms' } });
      return async () => {
        assert.deepEqual(await heard(await ask(on)), [504, 'upstream_timeout']);
        assert.equal(on.upstreams[0]?.received.length, 3);
      };
    });

    staged('ends a stream that drips with a typed event, and the vendor’s connection', () => {
      const drip: Script = ({ response }) => {
        startEvents(response);
        const timer = setInterval(() => response.write(piece('drop ')), 40);
        response.once('close', () => clearInterval(timer));
      };
      const on = scene([{ script: drip }], { model: { deadline: '400ms' } });
      return async () => {
        const text = await (await ask(on, { stream: true })).text();
        assert.match(text, /drop /);
        assert.ok(!text.includes('[DONE]'));
        assert.match(text.trimEnd().split('\n\n').at(-1) ?? '', /"code":"upstream_timeout"/);
        await on.upstreams[0]?.received[0]?.abandoned;
      };
    });
  });

  staged('a stream that only pings is replaced once its time to the first token is over', () => {
    const pings: Script = ({ response }) => {
      startEvents(response);
      const timer = setInterval(() => response.write(': ping\n\n'), 30);
      response.once('close', () => clearInterval(timer));
    };
    const on = scene([{ script: pings, timeout: '5000ms' }, { script: well }], {
      firstTokenTimeout: '200ms',
    });
    return async () => {
      const response = await ask(on, { stream: true });
      assert.equal(response.headers.get('headgate-target'), labelOf(on, 2));
      assert.match(await response.text(), /from the second/);
      await on.upstreams[0]?.received[0]?.abandoned;
    };
  });

  describe('an upstream that fails on', () => {
    const state = (on: Scene) => metric(new RegExp(`^headgate_breaker_state\\{target="${labelOf(on)}"\\} (\\d)$`, 'm'));

    staged(
      'is passed over after five failures, shown as such, and serves again once a single request was answered',
      () => {
        let isDown = true;
        const script: Script = (received) => (isDown ? says(500)(received) : answerWell(received, 'well again'));
        const on = scene([{ script }, { script: well }]);
        return async () => {
          for (let turn = 0; turn < 8; turn += 1) assert.equal((await ask(on)).status, 200);
          assert.equal(on.upstreams[0]?.received.length, 5);
          assert.equal(await state(on), 2);
          const { ailing } = await gateway.status();
          const label = labelOf(on);
          assert.deepEqual(
            ailing.filter(({ target }) => target === label),
            [{ target: label, state: 'open', failures: 5, waiting: 0 }],
          );
          isDown = false;
          await until('it serves again', async () => (await ask(on)).headers.get('headgate-target') === labelOf(on));
          assert.equal(await state(on), 0);
          assert.equal((await ask(on)).headers.get('headgate-target'), labelOf(on));
        };
      },
    );

    staged('is tried by one request at a time', () => {
      let release: (() => void) | undefined;
      const script: Script = async (received) => {
        if (received.number > 5) await new Promise<void>((resolve) => (release = resolve));
        await says(500)(received);
      };
      const on = scene([{ script }, { script: well }]);
      return async () => {
        for (let turn = 0; turn < 5; turn += 1) await ask(on);
        const first = on.upstreams[0];
        const asked: Promise<Response>[] = [];
        await until('one tries it again', async () => {
          asked.push(ask(on));
          return (first?.received.length ?? 0) > 5;
        });
        for (let turn = 0; turn < 5; turn += 1) assert.equal((await ask(on)).status, 200);
        assert.equal(first?.received.length, 6);
        assert.equal(await state(on), 1);
        release?.();
        await Promise.all(asked);
      };
    });

    staged('is asked all the same when nothing else is there, and when everything else failed', () => {
      const alone = scene([{ script: says(500) }]);
      const both = scene([{ script: says(500) }, { script: says(500) }]);
      return async () => {
        for (let turn = 0; turn < 8; turn += 1) assert.equal((await ask(alone)).status, 502);
        assert.equal(alone.upstreams[0]?.received.length, 8);
        for (let turn = 0; turn < 7; turn += 1) assert.equal((await ask(both)).status, 502);
        assert.deepEqual(
          both.upstreams.map(({ received }) => received.length),
          [7, 7],
        );
      };
    });

    test('is known by where it is, and not by the name that a configuration gives it', async () => {
      for (let turn = 0; turn < 5; turn += 1) await ask('chat');
      assert.equal((await ask('draft')).headers.get('headgate-attempts'), '1');
    });
  });
});
