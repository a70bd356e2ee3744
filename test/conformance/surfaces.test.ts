/**
 * Every call of every surface: what its clients send and what they get back, whole and streamed, with tools, usage and failures,
 * from a vendor of its own dialect and from one of another. The walk goes by the registry, so that a surface or a call without
 * fixtures fails; `test/support/surface-fixtures.ts` says what fixtures are.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import type { JsonObject } from '../../runtime/call.ts';
import type { Surface, SurfaceCall, SurfaceTask } from '../../runtime/surfaces/surface.ts';
import * as registry from '../../runtime/surfaces/index.ts';
import { keyHash, snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { expectedOf } from '../support/provider-fixtures.ts';
import { deadUrl, startScripted, type Received, type ScriptedUpstream } from '../support/scripted-upstream.ts';
import {
  aboutCall,
  answerOf,
  assertIs,
  callsOf,
  missingFiles,
  readJson,
  recorded,
  shapeNames,
  shapeFiles,
  surfacesWithFixtures,
  type AboutCall,
  type AboutSurface,
  type ShapeName,
} from '../support/surface-fixtures.ts';

const surfaces: Readonly<Record<string, Surface>> = registry;
const narrowKey = 'hg_key_of_two_models';
/** Stands in every refusal of the vendor, and must never reach a client. */
const planted = 'sk-live-PLANTED-0512';

interface Walked {
  readonly surface: string;
  readonly name: string;
  readonly about: AboutCall;
}
/** A surface without fixtures has failed its test of them; nothing can be asked of it. */
const walked: readonly Walked[] = Object.keys(surfaces).flatMap((surface) =>
  missingFiles(surface).length > 0 && process.env['UPDATE_GOLDEN'] !== '1'
    ? []
    : callsOf(surface).map((name) => ({ surface, name, about: aboutCall(surface, name) })),
);
const kindOf = ({ about }: Walked) => about.kind ?? 'chat';
const kindsInUse = [...new Set(walked.map(kindOf))];
const served = ({ calls, tasks = [] }: Surface): readonly (SurfaceCall | SurfaceTask)[] => [...calls, ...tasks];
const definitionOf = ({ surface, about }: Walked, path = about.paths[0]): SurfaceCall | SurfaceTask =>
  served(surfaces[surface] ?? assert.fail(surface)).find((each) => each.path === path) ?? assert.fail(path);

/** What the vendor answers a failing model with. `{}` and 200 is no answer of any API; nothing at all is silence. */
const refusals: Readonly<Record<string, readonly [number, object] | undefined>> = {
  credential: [401, { error: { message: planted, code: 'invalid_api_key' } }],
  rate_limited: [429, { error: { message: planted, code: 'rate_limit_exceeded' } }],
  overloaded: [503, { error: { message: planted, code: 'overloaded' } }],
  context_too_long: [400, { error: { message: planted, code: 'context_length_exceeded' } }],
  bad_request: [400, { error: { message: planted, param: planted, code: null } }],
  not_found: [404, { error: { message: planted, code: 'model_not_found' } }],
  content_refused: [400, { error: { message: planted, code: 'content_policy_violation' } }],
  broken_answer: [200, { odd: planted }],
  timeout: undefined,
};
const upstreamFailures = [...Object.keys(refusals), 'network'];

/** Of one call: health that is known of one must not speak of another. */
const failing = (failure: string, index: number): string => `${failure}-${index}`;
const target = (provider: string, model: string, more: object = {}) => ({
  targets: { kind: 'target' as const, provider, model, retries: 0, ...more },
});

function snapshot(url: string, dead: string): SnapshotInput {
  const facts = { contextWindow: 100_000, maxOutputTokens: 4_000 };
  const ofKinds = Object.fromEntries(kindsInUse.map((kind) => [kind, { ...facts, kind }]));
  const failingModels = walked.flatMap((each, index) =>
    upstreamFailures.map((failure) => [failing(failure, index), { ...facts, kind: kindOf(each) }] as const),
  );
  const plain = { baseUrl: `${url}/v1` };
  const key = { $secret: 'NO_SUCH_KEY', optional: true };
  return snapshotOf({
    providers: {
      openai: { kind: 'openai', options: { ...plain, responses: true }, models: ofKinds },
      plain: { kind: 'openai', options: plain, models: ofKinds },
      anthropic: { kind: 'anthropic', options: { baseUrl: url }, models: ofKinds },
      google: { kind: 'google', options: { baseUrl: url }, models: ofKinds },
      failing: { kind: 'openai', options: plain, models: Object.fromEntries(failingModels) },
      dead: { kind: 'openai', options: { baseUrl: `${dead}/v1` }, models: Object.fromEntries(failingModels) },
      off: { kind: 'openai', options: { ...plain, apiKey: key }, models: ofKinds },
    },
    models: {
      ...Object.fromEntries(
        ['openai', 'plain', 'anthropic', 'google', 'off'].flatMap((provider) =>
          kindsInUse.map((kind) => [`${provider}-${kind}`, target(provider, kind)]),
        ),
      ),
      ...Object.fromEntries(
        kindsInUse.map((kind) => [`blocked-${kind}`, { ...target('plain', kind), policies: ['tame'] }]),
      ),
      ...Object.fromEntries(
        kindsInUse.map((kind) => [`scarce-${kind}`, { ...target('plain', kind), quotas: ['one'] }]),
      ),
      ...Object.fromEntries(
        failingModels.map(([name]) => [
          name,
          target(
            name.startsWith('network') ? 'dead' : 'failing',
            name,
            name.startsWith('timeout') ? { timeout: '60ms' } : {},
          ),
        ]),
      ),
      first: target('plain', 'chat'),
      second: target('plain', 'chat'),
    },
    policies: { tame: { kind: 'blockTerms', options: { terms: ['hello'] } } },
    quotas: { one: { unit: 'requests', limit: 1, window: '1h' } },
    consumers: { narrow: { keys: [keyHash(narrowKey)], models: ['first', 'second'] } },
  });
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer;
}
const json = (value: unknown, status = 200): Answer => ({
  status,
  type: 'application/json',
  bytes: Buffer.from(JSON.stringify(value)),
});

/** Where `created` says now, and an id is drawn, it says what the fixtures say. */
const timeless = (text: string): string =>
  text.replaceAll(/("created(?:_at)?":)\d+/g, '$11700000000').replaceAll(/req_[0-9a-f]{8}-[0-9a-f-]{27}/g, 'req_0');

describe('fixtures', () => {
  for (const [name, surface] of Object.entries(surfaces))
    test(`stand for every call of surface ${name}`, () => {
      assert.deepEqual(missingFiles(name), [], 'write them');
      const recordedPaths = callsOf(name).flatMap((call) => {
        const { paths, streams = [] } = aboutCall(name, call);
        return [...paths, ...streams];
      });
      const paths = served(surface).map(({ path }) => path);
      assert.deepEqual(recordedPaths.toSorted(), paths.toSorted(), 'each path once, and no other');
    });

  test('are missed where there are none, and stand for surfaces only', () => {
    assert.deepEqual(missingFiles('nobody'), ['surface.json', 'errors.json']);
    assert.deepEqual(surfacesWithFixtures().toSorted(), Object.keys(surfaces).toSorted());
  });
});

describe('requests', () => {
  for (const each of walked.filter(({ about }) => about.sort === 'chat'))
    test(`${each.surface} ${each.name} understands everything that its dialect has`, () => {
      const { dialect } = definitionOf(each) as SurfaceCall;
      assertIs(dialect.readCall(readJson(`${dialect.name}.json`)), each.surface, each.name, 'read.json');
    });
});

describe('through the gateway', () => {
  let upstream: ScriptedUpstream;
  let gateway: TestGateway;
  let next: Answer = json({});

  function answer({ path, body, response }: Received): void {
    const failure = new RegExp(`(${upstreamFailures.join('|')})-\\d+`).exec(path + body)?.[1];
    const refusal = failure === undefined ? undefined : refusals[failure];
    if (failure !== undefined && refusal === undefined) return;
    const { status, type, bytes } = refusal ? json(refusal[1], refusal[0]) : next;
    response.writeHead(status, { 'content-type': type });
    response.end(bytes);
  }

  before(async () => {
    upstream = await startScripted(answer);
    gateway = await startGateway(snapshot(upstream.url, await deadUrl()));
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  const last = () => upstream.received.at(-1) ?? assert.fail('nothing arrived');

  interface Asked {
    readonly model: string;
    readonly path?: string | undefined;
    readonly stream?: boolean;
    readonly key?: string;
    readonly without?: string;
    readonly init?: RequestInit;
  }

  /** As a client of the surface sends it: the model in the path or in the body, as JSON or as a form. */
  function ask(walk: Walked, { model, path = walk.about.paths[0] ?? '', stream, key = testKey, without, init }: Asked) {
    const { about } = walk;
    const { key: keyed, headers } = readJson<AboutSurface & JsonObject>(walk.surface, 'surface.json');
    const named = path.includes('{model}') ? {} : { model };
    const fields: Record<string, unknown> = { ...named, ...about.request, ...(stream ? about.streamFields : {}) };
    if (without !== undefined) delete fields[without];
    const { query = {} } = definitionOf(walk, path) as SurfaceCall;
    const url = `${gateway.dataUrl}${path.replace('{model}', model)}?${new URLSearchParams(query).toString()}`;
    const { body, ...type } =
      about.file === undefined
        ? { body: JSON.stringify(fields), 'content-type': 'application/json' }
        : formOf(fields, about.file);
    return fetch(url, {
      method: 'POST',
      body: body as never,
      ...init,
      headers: {
        ...headers,
        ...type,
        [keyed.header]: keyed.prefix + key,
        ...(init?.headers as Record<string, string>),
      },
    });
  }

  function formOf(fields: Record<string, unknown>, file: string) {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, String(value));
    body.set(file, new Blob([new Uint8Array([0, 13, 10, 255])]), 'a.bin');
    return { body };
  }

  async function tokensOf(response: Response): Promise<readonly (number | undefined)[]> {
    const trace = await (
      await fetch(`${gateway.adminUrl}/api/requests/${response.headers.get('x-request-id')}`)
    ).json();
    const { inputTokens, outputTokens } = trace as Record<string, number | undefined>;
    return [inputTokens, outputTokens];
  }

  const isStream = (shape: ShapeName): boolean => shape === 'stream' || shape === 'toolsStream';
  const vendorAnswer = (path: string, shape: ShapeName): Answer => ({
    status: 200,
    type: isStream(shape) ? 'text/event-stream' : 'application/json',
    bytes: recorded(path),
  });
  const pathsOf = ({ paths, streams }: AboutCall, shape: ShapeName) => (isStream(shape) ? (streams ?? paths) : paths);
  const providerOf = (kind: string): string => (kind === 'openai' ? 'plain' : kind);
  const usageIn = (kind: string, shape: ShapeName) => {
    const { inputTokens, outputTokens } = expectedOf(kind)[shape].usage ?? {};
    return [inputTokens, outputTokens];
  };

  for (const each of walked.filter(({ about }) => about.sort === 'chat')) {
    const { surface, name, about } = each;
    const { native, translated = '' } = about;

    for (const shape of shapeNames) {
      test(`${surface} ${name} gets ${shape} of its own dialect byte for byte`, async () => {
        next = vendorAnswer(native.answers[shape] ?? assert.fail(shape), shape);
        for (const path of pathsOf(about, shape)) {
          const response = await ask(each, { model: `${native.kind}-chat`, path, stream: isStream(shape) });
          assert.equal(response.status, 200);
          assert.equal(await response.text(), next.bytes.toString(), path);
          assert.equal(response.headers.get('headgate-dropped'), null);
          if (native.answers[shape]?.startsWith('providers/'))
            assert.deepEqual(await tokensOf(response), usageIn(native.kind, shape));
        }
      });

      test(`${surface} ${name} gets ${shape} of another dialect in its own words`, async () => {
        const ending = isStream(shape) ? 'stream.txt' : 'unary.json';
        const file = shape.startsWith('tools') ? (isStream(shape) ? 'tools-stream.txt' : 'tools.json') : ending;
        next = vendorAnswer(`providers/${translated}/${file}`, shape);
        for (const path of pathsOf(about, shape)) {
          const response = await ask(each, { model: `${providerOf(translated)}-chat`, path, stream: isStream(shape) });
          const text = timeless(await response.text());
          assert.equal(response.status, 200, text);
          assertIs(isStream(shape) ? text : (JSON.parse(text) as unknown), surface, name, shapeFiles[shape]);
          assert.deepEqual(await tokensOf(response), usageIn(translated, shape));
        }
      });
    }

    test(`${surface} ${name} reaches either vendor with all that it says`, async () => {
      next = vendorAnswer(native.answers.unary ?? '', 'unary');
      await ask(each, { model: `${native.kind}-chat` });
      assert.deepEqual({ ...last().json, model: undefined }, { ...about.request, model: undefined });
      next = vendorAnswer(`providers/${translated}/unary.json`, 'unary');
      const response = await ask(each, { model: `${providerOf(translated)}-chat` });
      const dropped = response.headers.get('headgate-dropped');
      assertIs({ path: last().path, body: last().json, dropped }, surface, name, 'received.json');
    });

    test(`${surface} ${name} is told of a stream that breaks off in an event of its own`, async () => {
      const whole = recorded(`providers/${translated}/stream.txt`).toString();
      // What is said first, and nothing after it.
      const half = whole.slice(0, whole.indexOf('\n\n', whole.indexOf('Hello')) + 2);
      next = { status: 200, type: 'text/event-stream', bytes: Buffer.from(half) };
      for (const path of about.streams ?? about.paths) {
        const response = await ask(each, { model: `${providerOf(translated)}-chat`, path, stream: true });
        assertIs(timeless(await response.text()), surface, name, 'stream-error.txt');
      }
    });
  }

  for (const each of walked.filter(({ about }) => about.sort === 'count'))
    test(`${each.surface} ${each.name} counts as the vendor does, and estimates where it does not`, async () => {
      const { native, paths } = each.about;
      next = { ...json({}), bytes: Buffer.from(JSON.stringify(readJson(each.surface, each.name, 'answer.json'))) };
      for (const path of paths) {
        const counted = await ask(each, { model: `${native.kind}-chat`, path });
        assert.equal(counted.headers.get('headgate-estimate'), null);
        assertIs(await counted.json(), each.surface, each.name, 'answer.json');
        const other = native.kind === 'anthropic' ? 'google' : 'anthropic';
        const estimated = await ask(each, { model: `${other}-chat`, path });
        assert.equal(estimated.headers.get('headgate-estimate'), 'true');
        assert.deepEqual(
          Object.keys((await estimated.json()) as object),
          Object.keys(readJson(each.surface, each.name, 'answer.json')),
        );
      }
    });

  for (const each of walked.filter(({ about }) => about.sort === 'task')) {
    const { surface, name, about } = each;
    const provider = providerOf(about.native.kind);
    test(`${surface} ${name} gets what its vendor answers byte for byte, and its usage is known`, async () => {
      next = { status: 200, ...answerOf(surface, name) };
      for (const path of about.paths) {
        const response = await ask(each, { model: `${provider}-${kindOf(each)}`, path });
        assert.equal(response.headers.get('content-type'), next.type);
        assert.deepEqual(Buffer.from(await response.arrayBuffer()), next.bytes);
        assert.deepEqual(await tokensOf(response), about.usage ?? [undefined, undefined]);
        if (about.file === undefined) assert.partialDeepStrictEqual(last().json, withoutModels(about.request));
        else assert.ok(last().bytes.includes(Buffer.from([0, 13, 10, 255])));
      }
    });

    const { translated } = about;
    if (translated === undefined) continue;
    test(`${surface} ${name} gets what a vendor of another dialect answers in its own words`, async () => {
      next = json(readJson(surface, name, 'vendor.json'));
      for (const path of about.paths) {
        const response = await ask(each, { model: `${providerOf(translated)}-${kindOf(each)}`, path });
        assertIs(await response.json(), surface, name, 'translated.json');
      }
    });
  }

  /** The model stands in each of a batch too, under the vendor's name by then. */
  const withoutModels = (request: JsonObject) =>
    JSON.parse(JSON.stringify(request, (field, value: unknown) => (field === 'model' ? undefined : value))) as object;

  interface Failing {
    readonly asked: Asked;
    readonly param?: string;
    readonly twice?: boolean;
  }

  /** Each way to fail, and what brings it about. */
  function failuresOf(each: Walked): Readonly<Record<string, Failing>> {
    const { about } = each;
    const index = walked.indexOf(each);
    const kind = kindOf(each);
    const model = `plain-${kind}`;
    const noText = { headers: { 'content-type': 'text/plain' }, body: 'hello' };
    const own: Record<string, Failing> = {
      invalid_request: { asked: { model, without: about.needs }, param: about.param },
      missing_api_key: { asked: { model, key: '' } },
      invalid_api_key: { asked: { model, key: 'hg_wrong' } },
      model_not_allowed: { asked: { model, key: narrowKey }, param: 'model' },
      model_not_found: { asked: { model: 'nobody' }, param: 'model' },
      method_not_allowed: { asked: { model, init: { method: 'PUT' } } },
      unsupported_media_type: { asked: { model, init: noText } },
      operation_not_supported: { asked: { model: `plain-${kind === 'chat' ? 'embedding' : 'chat'}` }, param: 'model' },
      quota_exceeded: { asked: { model: `scarce-${kind}` }, twice: true },
      no_target_available: { asked: { model: `off-${kind}` } },
      ...(about.isTextless ? {} : { blocked_by_policy: { asked: { model: `blocked-${kind}` } } }),
      ...(about.file === undefined ? { invalid_json: { asked: { model, init: { body: '{' } } } } : {}),
    };
    // A count that its vendor refuses is estimated instead.
    const upstreams = about.sort === 'count' ? [] : upstreamFailures;
    return {
      ...own,
      ...Object.fromEntries(upstreams.map((failure) => [failure, { asked: { model: failing(failure, index) } }])),
    };
  }

  for (const surface of Object.keys(surfaces)) {
    const ofSurface = walked.filter((each) => each.surface === surface);
    const expected = () => readJson<Record<string, unknown>>(surface, 'errors.json');

    test(`${surface} words every failure of every call in its own envelope`, async () => {
      const seen: Record<string, unknown> = {};
      next = { status: 200, ...answerOf('openai', 'audio-speech') };
      for (const each of ofSurface)
        for (const [failure, { asked, param, twice }] of Object.entries(failuresOf(each))) {
          if (twice) await (await ask(each, asked)).arrayBuffer();
          const response = await ask(each, asked);
          const text = await response.text();
          const place = `${each.name}: ${failure}`;
          assert.match(response.headers.get('content-type') ?? '', /^application\/json/, place);
          assert.ok(!text.includes(planted), place);
          const { error } = JSON.parse(text) as { readonly error: { readonly message: string } };
          assert.ok(error.message.length > 10, place);
          const plain = text
            .replaceAll(JSON.stringify(error.message), '"{message}"')
            .replaceAll(JSON.stringify(param ?? ''), '"{param}"');
          const told = { status: response.status, body: JSON.parse(plain) as unknown };
          assert.deepEqual(told, (seen[failure] ??= told), place);
        }
      assertIs(seen, surface, 'errors.json');
      assert.deepEqual(Object.keys(seen).toSorted(), Object.keys(expected()).toSorted());
    });

    test(`${surface} lists its models, and words what it does not serve`, async () => {
      const { key, headers, models, model } = readJson<AboutSurface & JsonObject>(surface, 'surface.json');
      const { modelsPath, otherModelsPath = modelsPath } = surfaces[surface] ?? assert.fail(surface);
      const as = { headers: { ...headers, [key.header]: key.prefix + narrowKey } };
      for (const path of [modelsPath, otherModelsPath]) {
        assert.deepEqual(await (await fetch(gateway.dataUrl + path, as)).json(), models, path);
        assert.deepEqual(await (await fetch(`${gateway.dataUrl}${path}/first`, as)).json(), model, path);
        const unknown = await fetch(`${gateway.dataUrl}${path}/nobody`, as);
        const told = expected()['model_not_found'] as {
          readonly status: number;
          readonly body: { readonly error: object };
        };
        assert.equal(unknown.status, told.status);
        assert.deepEqual(
          Object.keys(((await unknown.json()) as { error: object }).error),
          Object.keys(told.body.error),
        );
      }
    });
  }
});
