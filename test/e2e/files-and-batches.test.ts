/**
 * Files and batches through the official SDKs, unmodified: each consumer has its own, whatever the account holds. The vendors answer
 * as their documentation shows: developers.openai.com/api/reference/resources/{files,batches} and
 * platform.claude.com/docs/en/api/messages/batches.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { keyHash, snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  collect,
  startScripted,
  type Received,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';

const keys = {
  ada: 'hg_key_of_ada',
  bob: 'hg_key_of_bob',
  eve: 'hg_key_of_eve',
  solo: 'hg_key_of_solo',
  none: 'hg_key_of_none',
};

const file = (id: string, purpose = 'batch') => ({
  id,
  object: 'file',
  bytes: 120,
  created_at: 1_677_610_602,
  filename: 'calls.jsonl',
  purpose,
  status: 'processed',
});
const batch = (more: object = {}) => ({
  id: 'batch_abc123',
  object: 'batch',
  endpoint: '/v1/chat/completions',
  errors: null,
  input_file_id: 'file-abc123',
  completion_window: '24h',
  status: 'completed',
  output_file_id: 'file-out1',
  error_file_id: null,
  created_at: 1_711_471_533,
  metadata: { nightly: 'yes' },
  ...more,
});
const messageBatch = (base: string) => ({
  id: 'msgbatch_013Zva2CMHLNnXjNJJKqJ2EF',
  type: 'message_batch',
  processing_status: 'ended',
  request_counts: { processing: 0, succeeded: 1, errored: 0, canceled: 0, expired: 0 },
  ended_at: '2026-08-20T18:37:24.100435Z',
  created_at: '2026-08-20T18:37:24.100435Z',
  expires_at: '2026-08-21T18:37:24.100435Z',
  archived_at: null,
  cancel_initiated_at: null,
  results_url: `${base}/v1/messages/batches/msgbatch_013Zva2CMHLNnXjNJJKqJ2EF/results`,
});
const results = [
  {
    id: 'batch_req_1',
    custom_id: 'a',
    response: { status_code: 200, body: { usage: { prompt_tokens: 22, completion_tokens: 2, total_tokens: 24 } } },
  },
  {
    id: 'batch_req_2',
    custom_id: 'b',
    response: { status_code: 200, body: { usage: { input_tokens: 8, output_tokens: 1, total_tokens: 9 } } },
  },
];
const jsonl = (lines: readonly unknown[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

function openaiAnswer({ path, headers, response, body }: Received): void {
  assert.equal(headers.authorization, 'Bearer vendor-key');
  const [where = '', query = ''] = path.split('?');
  if (path === '/v1/files' && headers['content-type']?.startsWith('multipart/'))
    return answerJson(response, 200, file('file-abc123', /"purpose"\r\n\r\n(\w+)/.exec(body)?.[1]));
  const answers: Record<string, unknown> = {
    '/v1/files/file-abc123':
      response.req.method === 'DELETE' ? { id: 'file-abc123', object: 'file', deleted: true } : file('file-abc123'),
    '/v1/batches/batch_abc123': batch(),
    '/v1/batches/batch_abc123/cancel': batch({ status: 'cancelling' }),
    '/v1/batches': response.req.method === 'POST' ? batch({ status: 'validating', output_file_id: null }) : undefined,
  };
  if (where === '/v1/files' || (where === '/v1/batches' && response.req.method === 'GET')) {
    const isLast = query.includes('after=');
    const one =
      where === '/v1/files' ? file(isLast ? 'file-2' : 'file-1') : batch({ id: isLast ? 'batch_2' : 'batch_1' });
    const page = { object: 'list', data: [one], first_id: one.id, last_id: one.id, has_more: !isLast };
    return answerJson(response, 200, page);
  }
  if (where === '/v1/files/file-out1/content') {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    // Cut in the middle of a line, as sockets do.
    const text = jsonl(results);
    response.write(text.slice(0, 90));
    return void response.end(text.slice(90));
  }
  const answer = answers[where];
  const missing = {
    error: { message: 'No such File object: file-secret', type: 'invalid_request_error', param: 'id', code: null },
  };
  return answer === undefined ? answerJson(response, 404, missing) : answerJson(response, 200, answer);
}

function anthropicAnswer({ path, headers, response }: Received, base: string): void {
  assert.equal(headers['x-api-key'], 'vendor-key');
  const one = messageBatch(base);
  const [where = ''] = path.split('?');
  if (where.endsWith('/results')) {
    response.writeHead(200, { 'content-type': 'application/x-jsonl' });
    const message = {
      id: 'msg_1',
      type: 'message',
      usage: { input_tokens: 10, cache_read_input_tokens: 3, output_tokens: 4 },
    };
    return void response.end(jsonl([{ custom_id: 'a', result: { type: 'succeeded', message } }]));
  }
  if (response.req.method === 'DELETE') return answerJson(response, 200, { id: one.id, type: 'message_batch_deleted' });
  if (where === '/v1/messages/batches' && response.req.method === 'GET')
    return answerJson(response, 200, { data: [one], has_more: false, first_id: one.id, last_id: one.id });
  return answerJson(response, 200, one);
}

const call = (id: string, model: string, content = 'Hello') => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model, messages: [{ role: 'user', content }], top_logprobs: 2 },
});

describe('files and batches', () => {
  let openaiVendor: ScriptedUpstream;
  let anthropicVendor: ScriptedUpstream;
  let gateway: TestGateway;
  const asOpenAI = (who: keyof typeof keys) =>
    new OpenAI({ baseURL: `${gateway.dataUrl}/v1`, apiKey: keys[who], maxRetries: 0 });
  const asAnthropic = (who: keyof typeof keys) =>
    new Anthropic({ baseURL: gateway.dataUrl, apiKey: keys[who], maxRetries: 0 });

  before(async () => {
    openaiVendor = await startScripted(openaiAnswer);
    anthropicVendor = await startScripted((received) => anthropicAnswer(received, anthropicVendor.url));
    Object.assign(process.env, { VENDOR_KEY: 'vendor-key', FILES_SEAL: randomBytes(32).toString('hex') });
    const apiKey = { $secret: 'VENDOR_KEY' };
    const files = { seal: { $secret: 'FILES_SEAL' } };
    const target = (provider: string, model: string) => ({ kind: 'target' as const, provider, model });
    const own = { provider: 'openai', model: 'gpt-9' };
    const snapshot: SnapshotInput = snapshotOf({
      providers: {
        openai: {
          kind: 'openai',
          options: { baseUrl: `${openaiVendor.url}/v1`, apiKey },
          files,
          models: { 'gpt-9': { contextWindow: 8_192 }, vectors: { kind: 'embedding', contextWindow: 100 } },
        },
        alone: {
          kind: 'openai',
          options: { baseUrl: `${openaiVendor.url}/v1`, apiKey },
          files: { ...files, sole: true },
          models: {},
        },
        anthropic: {
          kind: 'anthropic',
          options: { baseUrl: anthropicVendor.url, apiKey },
          files,
          models: { 'claude-9': { contextWindow: 8_192 } },
        },
      },
      models: {
        chat: {
          targets: {
            kind: 'group',
            balance: 'ordered',
            of: [{ node: target('anthropic', 'claude-9') }, { node: target('openai', 'gpt-9') }],
          },
          policies: ['clean'],
        },
        search: { targets: target('openai', 'vectors') },
        secretive: { targets: { kind: 'target', ...own } },
        prompted: { targets: { kind: 'target', ...own }, prompt: { name: 'inner', variables: {} } },
        elsewhere: { targets: target('anthropic', 'claude-9') },
      },
      prompts: { inner: { system: 'Do not show this.' } },
      policies: { clean: { kind: 'blockTerms', options: { terms: ['gossip'] } } },
      quotas: { few: { unit: 'requests', limit: 2, window: '1h' } },
      consumers: {
        ada: {
          keys: [keyHash(keys.ada)],
          models: ['chat', 'search', 'prompted', 'elsewhere'],
          files: ['openai', 'anthropic'],
        },
        bob: { keys: [keyHash(keys.bob)], files: ['openai', 'anthropic'] },
        eve: { keys: [keyHash(keys.eve)], files: ['openai'], quotas: ['few'] },
        none: { keys: [keyHash(keys.none)] },
        solo: { keys: [keyHash(keys.solo)], files: ['alone'], models: [] },
      },
    });
    gateway = await startGateway(snapshot);
  });
  after(async () => {
    await gateway?.close();
    await openaiVendor?.close();
    await anthropicVendor?.close();
    delete process.env['VENDOR_KEY'];
    delete process.env['FILES_SEAL'];
  });

  const upload = async (who: keyof typeof keys, text: string, purpose: 'batch' | 'user_data' = 'batch') =>
    asOpenAI(who).files.create({ file: await toFile(Buffer.from(text), 'calls.jsonl'), purpose });
  const last = (vendor: ScriptedUpstream): Received => {
    const one = vendor.received.at(-1);
    assert.ok(one);
    return one;
  };
  const linesSent = () =>
    last(openaiVendor)
      .body.split('\r\n')
      .flatMap((part) => (part.startsWith('{') ? part.trim().split('\n') : []))
      .map((line) => JSON.parse(line) as { custom_id: string; body: { model: string } });
  const refusal = async (asked: PromiseLike<unknown>) => {
    const error = await Promise.resolve(asked).then(
      () => assert.fail('it was taken'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof OpenAI.APIError, String(error));
    return error;
  };

  test('the OpenAI SDK runs a batch from upload to results, each line with the vendor’s own model', async () => {
    const client = asOpenAI('ada');
    const input = await upload('ada', jsonl([call('a', 'chat'), call('b', 'chat')]));
    assert.match(input.id, /^hg_[\w-]+$/);
    assert.deepEqual(
      linesSent().map((line) => [line.custom_id, line.body]),
      [call('a', 'gpt-9'), call('b', 'gpt-9')].map((line) => [line.custom_id, line.body]),
      'all but the name stays',
    );
    const made = await client.batches.create({
      input_file_id: input.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      metadata: { nightly: 'yes' },
    });
    assert.deepEqual(last(openaiVendor).json, {
      input_file_id: 'file-abc123',
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      metadata: { nightly: 'yes' },
    });
    assert.equal(made.input_file_id, input.id, 'the same id each time');
    const done = await client.batches.retrieve(made.id);
    assert.equal(last(openaiVendor).path, '/v1/batches/batch_abc123');
    const { output_file_id: output } = done;
    assert.ok(output);
    assert.doesNotMatch(JSON.stringify(done), /batch_abc123|file-abc123|file-out1/, 'no id of the vendor is shown');
    const before = /headgate_tokens_total\{[^}]*openai\/files[^}]*input[^}]*\} (\d+)/.exec(await gateway.metrics());
    assert.equal(before, null);
    const content = await client.files.content(output);
    assert.equal(await content.text(), jsonl(results), 'byte for byte');
    assert.equal(content.headers.get('headgate-target'), 'openai/files');
    assert.match(await gateway.metrics(), /headgate_tokens_total\{[^}]*openai\/files[^}]*input[^}]*\} 30\n/);
    assert.equal((await client.batches.cancel(made.id)).status, 'cancelling');
    assert.equal((await client.files.retrieve(input.id)).id, input.id);
    assert.deepEqual(await client.files.delete(input.id), { id: input.id, object: 'file', deleted: true });
  });

  test('nobody can ask for what is another’s, nor with an id of the vendor', async () => {
    const { id } = await upload('ada', jsonl([call('a', 'chat')]));
    const sentSoFar = openaiVendor.received.length;
    const bob = asOpenAI('bob');
    for (const name of [id, 'file-abc123', `${id.slice(0, -3)}AAA`, 'hg_'])
      for (const asked of [
        () => bob.files.retrieve(name),
        () => bob.files.content(name),
        () => bob.files.delete(name),
        () => bob.batches.retrieve(name),
      ]) {
        const error = await refusal(asked());
        assert.equal(error.status, 404, name);
      }
    const made = bob.batches.create({ input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' });
    const { status, code, param } = await refusal(made);
    assert.deepEqual([status, code, param], [404, 'object_not_found', 'input_file_id']);
    assert.equal(openaiVendor.received.length, sentSoFar, 'the vendor hears nothing of it');
    const own = await upload('bob', jsonl([call('a', 'chat')]));
    assert.notEqual(own.id, id, 'the same file has another name for each');
    assert.equal(
      (await refusal(bob.batches.cancel((await upload('bob', 'x', 'user_data')).id))).status,
      404,
      'what the vendor does not know',
    );
  });

  test('a line is refused as the call would be, by its number, and no file is made', async () => {
    const cases: readonly [string, string, number, string][] = [
      [jsonl([call('a', 'chat'), call('b', 'secretive')]), 'model_not_allowed', 403, 'Line 2: '],
      [jsonl([call('a', 'nothing')]), 'model_not_found', 404, 'Line 1: '],
      [jsonl([call('a', 'chat', 'some gossip')]), 'blocked_by_policy', 422, "Line 1: Policy 'clean'"],
      [jsonl([call('a', 'prompted')]), 'operation_not_supported', 400, 'Line 1: '],
      [jsonl([call('a', 'elsewhere')]), 'operation_not_supported', 400, "at 'openai'"],
      [jsonl([call('a', 'search')]), 'operation_not_supported', 400, 'Line 1: '],
      [jsonl([{ ...call('a', 'chat'), url: '/v1/models' }]), 'invalid_request', 400, 'Line 1: '],
      [`${jsonl([call('a', 'chat')])}not json\n`, 'invalid_json', 400, 'Line 2: '],
      ['{"one": "thing"}\n', 'invalid_request', 400, 'its first line is none'],
    ];
    for (const [text, code, status, words] of cases) {
      const answered = openaiVendor.received.length;
      const error = await refusal(upload('ada', text));
      assert.deepEqual([error.code, error.status], [code, status], text);
      assert.ok(error.message.includes(words), error.message);
      assert.equal(openaiVendor.received.length, answered, 'the vendor never got a whole file');
    }
    // The last line need not end, and other operations than chat are read by their own rules.
    await upload(
      'ada',
      JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/embeddings', body: { model: 'search', input: 'x' } }),
    );
    assert.equal(linesSent()[0]?.body.model, 'vectors');
  });

  test('a file that is none of calls passes byte for byte, with its length, as it comes', async () => {
    const text = `{"messages": [1]}\n${'x'.repeat(70_000)}`;
    await upload('ada', text, 'user_data');
    const { body, headers } = last(openaiVendor);
    assert.ok(body.includes(`\r\n\r\n${text}\r\n--`));
    assert.equal(Number(headers['content-length']), Buffer.byteLength(body));

    const seen = new Promise<number>((resolve) => {
      const sending = httpRequest(`${gateway.dataUrl}/v1/files`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys.ada}`, 'content-type': 'multipart/form-data; boundary=xx' },
      });
      sending.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)));
      sending.write('--xx\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n');
      sending.write('--xx\r\ncontent-disposition: form-data; name="file"; filename="big.bin"\r\n\r\n');
      // Far more than is ever held: 24 MB in pieces, each awaited by the one before.
      const piece = Buffer.alloc(1024 * 1024, 'y');
      let left = 24;
      const more = () => {
        while (left > 0) {
          left -= 1;
          if (!sending.write(piece)) return void sending.once('drain', more);
        }
        sending.end('\r\n--xx--\r\n');
      };
      more();
    });
    assert.equal(await seen, 200);
    assert.ok(last(openaiVendor).bytes.byteLength > 24 * 1024 * 1024);
  });

  test('a list is of the whole account, so only its sole consumer gets one', async () => {
    const { status, code } = await refusal(asOpenAI('ada').files.list());
    assert.deepEqual([status, code], [403, 'list_not_allowed']);
    const client = asOpenAI('solo');
    const [first, second] = await collect(client.files.list());
    assert.ok(first && second, 'both pages');
    assert.match(last(openaiVendor).path, /after=file-1$/);
    assert.equal((await refusal(client.files.retrieve(first.id))).status, 404);
    assert.equal(last(openaiVendor).path, '/v1/files/file-1');
    assert.equal((await collect(client.batches.list({ limit: 1 }))).length, 2);
  });

  test('whoever has no account is refused, and requests are drawn from quotas', async () => {
    assert.equal((await refusal(upload('none', 'x'))).code, 'files_not_allowed');
    assert.equal((await refusal(asOpenAI('none').batches.retrieve('hg_x'))).code, 'files_not_allowed');
    await assert.rejects(
      Promise.resolve(asAnthropic('solo').messages.batches.retrieve('hg_x')),
      Anthropic.PermissionDeniedError,
    );
    const headers = { authorization: `Bearer ${keys.ada}` };
    const wrong = await fetch(`${gateway.dataUrl}/v1/files/x`, { method: 'PUT', headers });
    assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, DELETE']);
    const { id } = await upload('eve', 'x', 'user_data');
    await asOpenAI('eve').files.retrieve(id).asResponse();
    assert.equal((await refusal(asOpenAI('eve').files.retrieve(id))).code, 'quota_exceeded');
  });

  test('whoever leaves in the middle of an upload takes the vendor’s with him', async (context) => {
    const begun = Promise.withResolvers<void>();
    let came = '';
    const ended = Promise.withResolvers<string>();
    const vendor = createServer((request) => {
      request.on('data', (bytes: Buffer) => {
        came += bytes.toString();
        if (came.includes('the first')) begun.resolve();
      });
      request.on('error', () => undefined);
      request.once('close', () => ended.resolve(request.complete ? 'complete' : 'broken off'));
    });
    context.after(() => {
      vendor.closeAllConnections();
      vendor.close();
    });
    vendor.listen(0, '127.0.0.1');
    await once(vendor, 'listening');
    const { port } = vendor.address() as AddressInfo;
    const own = await startGateway(
      snapshotOf({
        providers: {
          openai: {
            kind: 'openai',
            options: { baseUrl: `http://127.0.0.1:${port}/v1` },
            files: { seal: { $secret: 'FILES_SEAL' } },
            models: {},
          },
        },
        consumers: { ada: { keys: [keyHash(keys.ada)], files: ['openai'] } },
      }),
    );
    context.after(() => own.close());
    const sending = httpRequest(`${own.dataUrl}/v1/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.ada}`, 'content-type': 'multipart/form-data; boundary=xx' },
    });
    sending.on('error', () => undefined);
    sending.write('--xx\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nvision\r\n');
    sending.write(
      '--xx\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nthe first of many bytes, and so on',
    );
    await begun.promise;
    sending.destroy();
    assert.equal(await ended.promise, 'broken off');
  });

  test('the Anthropic SDK runs a batch from creation to results', async () => {
    const client = asAnthropic('ada');
    const params = { model: 'chat', max_tokens: 5, messages: [{ role: 'user' as const, content: 'Hello' }] };
    const made = await client.messages.batches.create({ requests: [{ custom_id: 'a', params }] });
    assert.deepEqual(last(anthropicVendor).json, {
      requests: [{ custom_id: 'a', params: { ...params, model: 'claude-9' } }],
    });
    assert.equal(made.results_url, `/v1/messages/batches/${made.id}/results`);
    assert.equal((await client.messages.batches.retrieve(made.id)).id, made.id);
    const [result] = await collect(await client.messages.batches.results(made.id));
    assert.equal(result?.custom_id, 'a');
    assert.match(last(anthropicVendor).path, /^\/v1\/messages\/batches\/msgbatch_013Zva2CMHLNnXjNJJKqJ2EF\/results$/);
    assert.match(await gateway.metrics(), /headgate_tokens_total\{[^}]*anthropic\/files[^}]*input[^}]*\} 13\n/);
    assert.equal((await client.messages.batches.cancel(made.id)).id, made.id);
    assert.equal((await client.messages.batches.delete(made.id)).id, made.id);

    const bob = asAnthropic('bob');
    await assert.rejects(Promise.resolve(bob.messages.batches.retrieve(made.id)), Anthropic.NotFoundError);
    const refused = client.messages.batches.create({
      requests: [{ custom_id: 'a', params: { ...params, model: 'secretive' } }],
    });
    await assert.rejects(Promise.resolve(refused), Anthropic.PermissionDeniedError);
    await assert.rejects(Promise.resolve(client.messages.batches.list()), Anthropic.PermissionDeniedError);
  });
});
