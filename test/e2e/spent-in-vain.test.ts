/** Answers that broke off and targets that were left: what becomes of the upstream, and what was spent there. One gateway, one vendor. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  completion,
  piece,
  sse,
  startEvents,
  startScripted,
  usagePiece,
  type Script,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { wires } from '../support/upstream-faults.ts';
import { until } from '../support/until.ts';

const anthropic = wires.find(({ kind }) => kind === 'anthropic');

/** The first event of a stream, which already tells the input, and nothing that it says. */
const messageStart = `event: message_start\n${sse({ type: 'message_start', message: { id: 'msg_1', model: 'm', usage: { input_tokens: 77, output_tokens: 1 } } })}`;

const after200 =
  (write: (response: Parameters<Script>[0]['response']) => void): Script =>
  ({ response }) => {
    startEvents(response);
    write(response);
  };

/** By the name of the provider that it is asked as. */
const scripts: Readonly<Record<string, Script>> = {
  well: (received) => answerWell(received, 'from the second'),
  slow: (received) => void setTimeout(() => answerWell(received, 'too late'), 2_000).unref(),
  silent: () => undefined,
  refuses: ({ response }) => answerJson(response, 503, {}),
  nonsense: ({ response }) => answerJson(response, 200, [1]),
  cut: after200((response) => response.end(piece('half '))),
  cutAgain: after200((response) => response.end(piece('half '))),
  cutUnlessWhole: (received) =>
    received.json['stream'] === true
      ? after200((response) => response.end(piece('half ')))(received)
      : answerJson(received.response, 200, completion('whole')),
  hangs: after200((response) => void response.write(piece('half '))),
  limited: after200((response) =>
    response.end(piece('half ') + sse({ error: { message: 'x', code: 'rate_limit_exceeded', type: 'requests' } })),
  ),
  garbled: after200((response) => response.end(usagePiece + 'data: {"no json\n\n')),
  tellsInput: after200((response) => response.end(messageStart + (anthropic?.errorEvent ?? ''))),
};

const sorts = { tellsInput: 'anthropic' };
const kindOf = (name: string): string => (name in sorts ? 'anthropic' : 'openai');
const models: Readonly<Record<string, { legs: readonly string[]; hedge?: '60ms'; deadline?: '700ms' }>> = {
  cut: { legs: ['cut', 'well'] },
  cutAlone: { legs: ['cutAgain'] },
  mixed: { legs: ['cutUnlessWhole', 'well'] },
  hangs: { legs: ['hangs', 'well'] },
  left: { legs: ['hangs', 'well'] },
  limited: { legs: ['limited', 'well'] },
  refuses: { legs: ['refuses', 'well'] },
  nonsense: { legs: ['nonsense', 'well'] },
  silent: { legs: ['silent', 'well'] },
  garbled: { legs: ['garbled', 'well'] },
  tellsInput: { legs: ['tellsInput', 'well'] },
  hedged: { legs: ['slow', 'well'], hedge: '60ms' },
  bothSilent: { legs: ['slow', 'silent'], hedge: '60ms', deadline: '700ms' },
};

let vendor: ScriptedUpstream;
let gateway: TestGateway;

/** Each model has providers of its own, so that what one test does to the health of a target concerns no other. */
const providerOf = (model: string, leg: string) => `${model}-${leg}`;

function parts(url: string): Pick<SnapshotInput, 'providers' | 'models'> {
  const all = Object.entries(models);
  const providers = all.flatMap(([model, { legs }]) =>
    legs.map((leg) => {
      const kind = kindOf(leg);
      const baseUrl = `${url}/${model}/${leg}${kind === 'openai' ? '/v1' : ''}`;
      return [providerOf(model, leg), { kind, options: { baseUrl }, models: { m: { contextWindow: 8_192 } } }] as const;
    }),
  );
  const target = (provider: string) => ({
    node: { kind: 'target' as const, provider, model: 'm', timeout: '300ms' as const },
  });
  return {
    providers: Object.fromEntries(providers),
    models: Object.fromEntries(
      all.map(([name, { legs, ...more }]) => {
        const of = legs.map((leg) => target(providerOf(name, leg)));
        if (more.hedge) for (const { node } of of) Object.assign(node, { timeout: '5000ms' });
        return [name, { targets: { kind: 'group', balance: 'ordered', of }, ...more }];
      }),
    ),
  };
}

before(async () => {
  vendor = await startScripted((received) => scripts[received.path.split('/')[2] ?? '']?.(received));
  gateway = await startGateway(snapshotOf(parts(vendor.url)));
});
after(async () => {
  await gateway.close();
  await vendor.close();
});

const question = 'Tell me in some words what a gateway is good for, and for whom.';

async function ask(model: string, stream = false): Promise<{ text: string; target: string | null; id: string }> {
  const body = { model, stream, messages: [{ role: 'user', content: question }] };
  const response = await gateway.post('/v1/chat/completions', body);
  const { headers } = response;
  return {
    text: await response.text(),
    target: headers.get('headgate-target'),
    id: headers.get('headgate-request-id') ?? headers.get('x-request-id') ?? '',
  };
}

const value = async (pattern: string) => {
  const text = await until('it is settled', async () => {
    const metrics = await gateway.metrics();
    return /^headgate_requests_in_flight 0$/m.test(metrics) && metrics;
  });
  return Number(new RegExp(`^${pattern} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
};
const spentAt = async (label: string) => [
  await value(`headgate_tokens_total\\{target="${label}/m",direction="input"\\}`),
  await value(`headgate_tokens_total\\{target="${label}/m",direction="output"\\}`),
  await value(`headgate_usage_estimated_total\\{target="${label}/m"\\}`),
];
const attemptsAt = (label: string, outcome: string) =>
  value(`headgate_upstream_attempts_total\\{target="${label}/m",outcome="${outcome}"\\}`);

async function stepsOf(id: string): Promise<string[]> {
  const response = await fetch(`${gateway.adminUrl}/api/requests/${id}`);
  const { steps } = (await response.json()) as { steps: { stage: string; said: string }[] };
  return steps.filter(({ stage }) => stage === 'attempt' || stage === 'spent').map(({ said }) => said);
}

/** About what a tokenizer makes of the question with its role. */
const isAboutTheQuestion = (input = 0) => assert.ok(input >= 14 && input <= 30, `${input} input tokens`);

describe('a stream that breaks off after its first token', () => {
  test('counts as a failed attempt of its class, and five of them send requests elsewhere', async () => {
    for (let turn = 0; turn < 5; turn += 1) assert.match((await ask('cut', true)).text, /upstream_broken_answer/);
    const { target, text } = await ask('cut', true);
    assert.deepEqual([target, /from the second/.test(text)], ['cut-well/m', true]);
    assert.deepEqual([await attemptsAt('cut-cut', 'broken_answer'), await attemptsAt('cut-cut', 'answered')], [5, 0]);
    assert.equal(await value('headgate_breaker_state\\{target="cut-cut/m"\\}'), 2);
  });

  test('is told as such in the trace, and by nobody as answered', async () => {
    const { id } = await ask('cutAlone', true);
    assert.deepEqual(await stepsOf(id), ['1. cutAlone-cutAgain/m: broken_answer, after its answer had begun']);
  });

  test('counts also where whole answers are good', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      assert.match((await ask('mixed')).text, /whole/);
      await ask('mixed', true);
    }
    assert.equal((await ask('mixed', true)).target, 'mixed-well/m');
  });

  test('or falls silent counts as a timeout', async () => {
    await Promise.all(Array.from({ length: 5 }, () => ask('hangs', true)));
    assert.equal(await attemptsAt('hangs-hangs', 'timeout'), 5);
    assert.equal((await ask('hangs', true)).target, 'hangs-well/m');
  });

  test('with a rate limit rests its key, and is nothing against its health', async () => {
    await ask('limited', true);
    assert.equal(await attemptsAt('limited-limited', 'rate_limited'), 1);
    assert.equal((await ask('limited', true)).target, 'limited-well/m');
    assert.equal(await value('headgate_breaker_state\\{target="limited-limited/m"\\}'), 0);
  });

  test('because its client left is nothing against its health', async () => {
    for (let turn = 0; turn < 6; turn += 1) {
      const client = new AbortController();
      const body = { model: 'left', stream: true, messages: [{ role: 'user', content: question }] };
      const response = await gateway.post('/v1/chat/completions', body, { signal: client.signal });
      await response.body?.getReader().read();
      client.abort();
    }
    await until('all of it is told', async () => (await attemptsAt('left-hangs', 'answered')) === 6);
    assert.equal(await value('headgate_breaker_state\\{target="left-hangs/m"\\}'), 0);
  });
});

describe('what was spent before the target that answered', () => {
  test('is nothing where it refused', async () => {
    assert.equal((await ask('refuses')).target, 'refuses-well/m');
    assert.deepEqual(await spentAt('refuses-refuses'), [0, 0, 0]);
    assert.deepEqual(await spentAt('refuses-well'), [3, 2, 0]);
  });

  test('is the input where its answer was none, and where it fell silent', async () => {
    for (const name of ['nonsense', 'silent']) {
      const { target, id } = await ask(name);
      assert.equal(target, `${name}-well/m`);
      const [input, output, estimated] = await spentAt(`${name}-${name}`);
      isAboutTheQuestion(input);
      assert.deepEqual([output, estimated], [0, 1]);
      assert.deepEqual(await spentAt(`${name}-well`), [3, 2, 0], 'and that of the one that answered is its own');
      const [, , spent] = await stepsOf(id);
      assert.match(spent ?? '', /-(nonsense|silent)\/m: \d+ tokens in and 0 out, as estimated, for nothing$/);
    }
  });

  test('is what the stream had told before it failed, without a word of its answer', async () => {
    const { target } = await ask('tellsInput', true);
    assert.equal(target, 'tellsInput-well/m');
    assert.deepEqual(await spentAt('tellsInput-tellsInput'), [77, 1, 0]);
    await ask('garbled', true);
    assert.deepEqual(await spentAt('garbled-garbled'), [3, 2, 0]);
  });

  test('is the input at one that was outrun, told once', async () => {
    const { target, id } = await ask('hedged');
    assert.equal(target, 'hedged-well/m');
    const [input, output, estimated] = await spentAt('hedged-slow');
    isAboutTheQuestion(input);
    assert.deepEqual([output, estimated], [0, 1]);
    assert.deepEqual((await stepsOf(id)).slice(0, 2), ['1. hedged-slow/m: outrun', '2. hedged-well/m: answered']);
  });

  test('is the input at each of two where neither answered in time', async () => {
    assert.match((await ask('bothSilent')).text, /upstream_timeout/);
    for (const leg of ['slow', 'silent']) {
      const [input, , estimated] = await spentAt(`bothSilent-${leg}`);
      isAboutTheQuestion(input);
      assert.equal(estimated, 1);
    }
  });
});
