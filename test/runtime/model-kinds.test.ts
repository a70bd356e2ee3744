/** A model is spoken to by an API of its provider that takes its sort, and a revision in which there is none does not serve. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTheDark } from '../../runtime/generation/live-order.ts';
import { offlineGeneration } from '../../runtime/generation/offline.ts';
import { speaks, translated } from '../../runtime/pipeline/outgoing.ts';
import { openaiResponses } from '../../runtime/dialects/openai-responses.ts';
import { snapshotSchema } from '../../runtime/snapshot.ts';
import { snapshotOf } from '../support/gateway.ts';

const snapshot = (options: object) =>
  snapshotSchema.parse(
    snapshotOf({
      providers: {
        house: {
          kind: 'openai',
          options: { baseUrl: 'http://localhost:1234/v1', ...options },
          models: { talks: { contextWindow: 8_192 }, thinks: { contextWindow: 8_192, kind: 'responses' } },
        },
      },
      models: Object.fromEntries(
        ['talks', 'thinks'].map((model) => [model, { targets: { kind: 'target', provider: 'house', model } }]),
      ),
    }),
  );

test('a translated call goes to the first API that takes the model', async () => {
  const { tables } = await offlineGeneration(snapshot({ responses: true }), (consumer) => consumer);
  const call = openaiResponses.readCall({ model: 'any', input: 'hello' });
  const dialects = ['talks', 'thinks'].map((name) => {
    const [target] = tables.models.get(name)?.order(inTheDark(() => 0)) ?? [];
    assert.ok(target);
    return [name, translated(call, target).api.dialect.name, speaks(target, openaiResponses)];
  });
  assert.deepEqual(dialects, [
    ['talks', 'openai-chat', true],
    ['thinks', 'openai-responses', true],
  ]);
});

test('a model that no API of its provider takes is a problem of the revision', async () => {
  await assert.rejects(
    offlineGeneration(snapshot({}), (consumer) => consumer),
    /models\.thinks: provider 'house' has no API for 'thinks', a model of kind responses/,
  );
});
