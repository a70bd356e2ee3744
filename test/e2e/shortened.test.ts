/** A conversation that a vendor finds too long although the estimate let it through: once more with less of it, at the same target. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { toldShare } from '../../runtime/upstream/told-length.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  startScripted,
  type Received,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { wires } from '../support/upstream-faults.ts';

const anthropic = wires.find(({ kind }) => kind === 'anthropic');

/** Each counts a message as so many tokens, and says what it is given to say. */
interface Vendor {
  readonly most: number;
  readonly words: (sent: number) => string;
}

const openAi = (most: number) => (sent: number) =>
  `This model's maximum context length is ${most} tokens. However, your messages resulted in ${sent} tokens.`;
const vendors: Readonly<Record<string, Vendor>> = {
  strict: { most: 700, words: openAi(700) },
  mute: { most: 900, words: () => 'too long' },
  tiny: { most: 150, words: openAi(300) },
  large: { most: 1e9, words: () => '' },
  claude: { most: 700, words: (sent) => `prompt is too long: ${sent} tokens > 700 maximum` },
};
const perMessage = 100;

function act(received: Received): void {
  const name = received.path.split('/')[1] ?? '';
  const { most, words } = vendors[name] ?? { most: 0, words: () => '' };
  const sent = (received.json['messages'] as unknown[]).length * perMessage;
  const isClaude = name === 'claude';
  if (sent > most) {
    const error = isClaude
      ? { type: 'invalid_request_error', message: words(sent) }
      : { code: 'context_length_exceeded', type: 'invalid_request_error', message: words(sent) };
    return answerJson(received.response, 400, isClaude ? { type: 'error', error } : { error });
  }
  if (isClaude) return answerJson(received.response, 200, anthropic?.whole);
  answerWell(received, `from ${name}`);
}

const models: Readonly<Record<string, readonly string[]>> = {
  told: ['strict'],
  untold: ['mute'],
  moves: ['tiny', 'large'],
  uncut: ['strict', 'large'],
  translated: ['claude'],
};

let vendor: ScriptedUpstream;
let gateway: TestGateway;

function parts(url: string): Partial<SnapshotInput> {
  const providers = Object.keys(vendors).map((name) => {
    const kind = name === 'claude' ? 'anthropic' : 'openai';
    const baseUrl = `${url}/${name}${kind === 'openai' ? '/v1' : ''}`;
    const contextWindow = name === 'large' ? 200_000 : 100_000;
    return [name, { kind, options: { baseUrl }, models: { m: { contextWindow } } }] as const;
  });
  return {
    providers: Object.fromEntries(providers),
    models: Object.fromEntries(
      Object.entries(models).map(([name, legs]) => {
        const of = legs.map((provider) => ({ node: { kind: 'target' as const, provider, model: 'm' } }));
        return [
          name,
          { targets: { kind: 'group', balance: 'ordered', of }, ...(name !== 'uncut' && { context: 'turns' }) },
        ];
      }),
    ),
    contextPolicies: { turns: { kind: 'quantisedCut', options: { target: 'window', margin: '0%' } } },
  };
}

before(async () => {
  vendor = await startScripted(act);
  gateway = await startGateway(snapshotOf(parts(vendor.url)));
});
after(async () => {
  await gateway.close();
  await vendor.close();
});

/** Ten turns of two messages, the newest a question. */
const conversation = (turns = 10) => [
  { role: 'system', content: 'Be brief.' },
  ...Array.from({ length: turns }, (_, turn) => [
    { role: 'user', content: `question ${turn} ${'word '.repeat(40)}` },
    { role: 'assistant', content: `answer ${turn} ${'word '.repeat(40)}` },
  ]).flat(),
  { role: 'user', content: 'and now?' },
];

async function ask(model: string, more: object = {}) {
  const from = vendor.received.length;
  const response = await gateway.post('/v1/chat/completions', { model, messages: conversation(), ...more });
  const id = response.headers.get('x-request-id') ?? '';
  const text = await response.text();
  const sent = vendor.received.slice(from).map(({ path, json }) => {
    const messages = json['messages'] as { role: string; content: string }[];
    return { at: path.split('/')[1], messages };
  });
  const answered = { status: response.status, text, context: response.headers.get('headgate-context') };
  return { ...answered, id, sent, target: response.headers.get('headgate-target') };
}

async function stepsOf(id: string): Promise<string[]> {
  const response = await fetch(`${gateway.adminUrl}/api/requests/${id}`);
  const { steps } = (await response.json()) as { steps: { stage: string; said: string }[] };
  return steps.filter(({ stage }) => stage === 'attempt' || stage === 'context').map(({ said }) => said);
}

const lengths = (sent: readonly { readonly messages: readonly unknown[] }[]) =>
  sent.map(({ messages }) => messages.length);

describe('a conversation that a vendor finds too long', () => {
  test('goes to the same target once more, with as much less as the vendor says, and its newest words', async () => {
    for (const stream of [false, true]) {
      const { status, target, sent, context, text } = await ask('told', { stream });
      assert.deepEqual([status, target], [200, 'strict/m']);
      assert.match(text, /from strict/);
      const [first = 0, second = 0, ...more] = lengths(sent);
      assert.deepEqual([first, more.length], [22, 0]);
      assert.ok(second >= 3 && second <= 7, `${second} messages`);
      const messages = sent[1]?.messages ?? [];
      assert.deepEqual([messages[0]?.role, messages[1]?.role], ['system', 'user'], 'whole turns stay');
      assert.equal(messages.at(-1)?.content, 'and now?');
      assert.match(context ?? '', new RegExp(`in=22, kept=${second}, cut=${22 - second}`));
    }
  });

  test('is told in the trace, with what was kept', async () => {
    const { id, sent } = await ask('told');
    const [, kept] = lengths(sent);
    const [fitted, shortened, ...attempts] = await stepsOf(id);
    assert.match(fitted ?? '', /^turns: keeps 22 of 22 messages/);
    assert.match(
      shortened ?? '',
      new RegExp(`^strict/m finds that too long: keeps ${kept} of 22 messages, about \\d+ tokens$`),
    );
    assert.deepEqual(attempts, ['1. strict/m: context_too_long', '2. strict/m: answered']);
  });

  test('is cut by a share where the vendor does not say how much fits, and translated calls as well', async () => {
    for (const [model, at] of [
      ['untold', 'mute'],
      ['translated', 'claude'],
    ] as const) {
      const { sent, status, target } = await ask(model, { messages: conversation(4) });
      assert.deepEqual([status, target], [200, `${at}/m`], model);
      assert.equal(sent.length, 2);
    }
  });

  test('goes on whole to a target with a larger window where less of it is too long as well', async () => {
    const { sent, target, id } = await ask('moves');
    assert.equal(target, 'large/m');
    assert.deepEqual(
      sent.map(({ at }) => at),
      ['tiny', 'tiny', 'large'],
    );
    const [first = 0, second = 0, third] = lengths(sent);
    assert.ok(second < first);
    assert.equal(third, 22);
    const steps = await stepsOf(id);
    assert.deepEqual(steps.slice(2), [
      '1. tiny/m: context_too_long',
      '2. tiny/m: context_too_long',
      '3. large/m: answered',
    ]);
  });

  test('is not cut where no policy says what may be left out, nor where one turn is all there is', async () => {
    const { sent } = await ask('uncut');
    assert.deepEqual(
      sent.map(({ at }) => at),
      ['strict', 'large'],
    );
    const long = Array.from({ length: 9 }, () => ({ role: 'user', content: 'word' }));
    const { status, text, sent: once } = await ask('told', { messages: long });
    assert.deepEqual([status, once.length], [400, 1]);
    assert.match(text, /context_length_exceeded/);
  });
});

test('how much fits is read from what vendors say', () => {
  const share = (message: string) => {
    const found = toldShare({ error: { message } });
    return found === undefined ? undefined : Math.round(found * 1e3) / 1e3;
  };
  const cases: readonly (readonly [string, number | undefined])[] = [
    [openAi(4_097)(5_613), 0.73],
    [
      "This model's maximum context length is 8192 tokens. However, you requested 8203 tokens (7691 in the messages, 512 in the completion). Please reduce the length.",
      0.999,
    ],
    [
      "This model's maximum context length is 2049 tokens, however you requested 2054 tokens (2049 in your prompt; 5 for the completion).",
      0.998,
    ],
    ['prompt is too long: 208310 tokens > 200000 maximum', 0.96],
    ['input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000, decrease input length', 0.76],
    ['The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).', 0.874],
    ['[Error]Input length (160062 tokens) exceeds the maximum allowed length (59862 tokens).', 0.374],
    ['input length and `max_tokens` exceed context limit: 1000 + 64000 > 50000', undefined],
    ['Input is too long for requested model.', undefined],
    ['request 4711 of 2026 refused', undefined],
    ['', undefined],
  ];
  for (const [message, expected] of cases) assert.equal(share(message), expected, message);
  assert.equal(toldShare(undefined), undefined);
  assert.equal(toldShare({ message: 'prompt is too long: 400 tokens > 200 maximum' }), 0.5);
});
